import NIOCore
import SparkCore
import SparkKit

/// Watches the client of a connection as a sender: a body that does not arrive at once must arrive fast enough. Used on the
/// connection's event loop only.
final class BodyWatch {
    /// What a body's slowness says about its client.
    enum Blame {
        /// No body is arriving.
        case none
        /// The server does not read at the moment.
        case server
        case client
    }

    private let channel: any Channel
    private let rate: DataRate
    private let blame: () -> Blame
    /// Called when the client is too slow.
    private let whenTooSlow: () -> Void
    /// Nil while no body is watched.
    private var meter: DataRateMeter?
    private var timer: Scheduled<Void>?

    init(_ channel: any Channel, rate: DataRate, blame: @escaping () -> Blame, whenTooSlow: @escaping () -> Void) {
        self.channel = channel
        self.rate = rate
        self.blame = blame
        self.whenTooSlow = whenTooSlow
    }

    /// A body did not arrive at once. Does nothing if it is watched already.
    func begin() {
        guard meter == nil, let new = DataRateMeter(rate, at: channel.eventLoop.uptime) else { return }
        meter = new
        look(at: new)
    }

    func received(_ bytes: Int) { meter?.moved(bytes, at: channel.eventLoop.uptime) }

    /// The body is complete, or nobody waits for it.
    func end() {
        timer?.cancel()
        (timer, meter) = (nil, nil)
    }

    private func look(at meter: DataRateMeter) {
        let wait = max(Duration.milliseconds(1), meter.deadline - channel.eventLoop.uptime)
        timer = channel.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: .milliseconds(Int64(wait.milliseconds) + 1)) {
            [weak self] in self?.judge()
        }
    }

    private func judge() {
        let (now, blame) = (channel.eventLoop.uptime, blame())
        guard blame != .none else { return }
        if blame == .server { meter?.excuse(at: now) }
        guard let meter else { return }
        guard meter.isTooSlow(at: now) else { return look(at: meter) }
        end()
        whenTooSlow()
    }
}
