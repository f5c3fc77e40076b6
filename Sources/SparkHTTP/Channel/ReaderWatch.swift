import NIOCore
import SparkKit

/// Watches the client of a connection as a reader: while answers wait for it, it must take them fast enough. Used on the
/// connection's event loop only.
final class ReaderWatch {
    private static let glance = TimeAmount.seconds(1)

    private let channel: any Channel
    private let admitted: AdmittedConnection?
    /// Called when the client is too slow.
    private let whenTooSlow: () -> Void
    /// Nil until an answer waited for the client for the first time.
    private var meter: AnswerMeter?
    private var timer: Scheduled<Void>?
    /// Whether answers wait for the client.
    private(set) var isWatching = false
    /// The network that is charged for what waits.
    var network: String?

    init(_ channel: any Channel, admitted: AdmittedConnection?, whenTooSlow: @escaping () -> Void) {
        self.channel = channel
        self.admitted = admitted
        self.whenTooSlow = whenTooSlow
    }

    /// Answers may wait for the client: from now on it must read fast enough, until nothing waits.
    func begin() {
        guard !isWatching else { return }
        TCPInformation.read(of: channel) { [weak self] in
            if let self, let information = $0 { begin(information) }
        }
    }

    private func begin(_ information: TCPInformation) {
        guard !isWatching else { return }
        isWatching = true
        let now = channel.eventLoop.uptime
        if meter == nil {
            meter = AnswerMeter(admitted?.rates.answer ?? .standard, confirmed: information.confirmedBytes, at: now)
        } else {
            meter?.resume(confirmed: information.confirmedBytes, at: now)
        }
        admitted?.setWaiting(waitingBytes(information), from: network, hasMoved: true)
        lookLater()
    }

    /// Begins to watch if bytes wait for the client, and tells whether they do.
    func check(_ result: @escaping (Bool) -> Void) {
        TCPInformation.read(of: channel) { [weak self] in
            guard let self, waitingBytes($0) > 0 else { return result(false) }
            if let information = $0 { begin(information) }
            result(true)
        }
    }

    /// The connection has ended, or speaks another protocol now.
    func end() {
        if isWatching { admitted?.setWaiting(0, from: network, hasMoved: true) }
        stop()
    }

    private func stop() {
        timer?.cancel()
        (timer, isWatching) = (nil, false)
    }

    private func lookLater() {
        timer = channel.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.glance) { [weak self] in
            guard let self else { return }
            TCPInformation.read(of: channel) { [weak self] in self?.look($0) }
        }
    }

    private func look(_ information: TCPInformation?) {
        guard isWatching, channel.isActive, let information else { return }
        let now = channel.eventLoop.uptime
        let hasMoved = meter?.look(confirmed: information.confirmedBytes, at: now) ?? false
        let waiting = waitingBytes(information)
        admitted?.setWaiting(waiting, from: network, hasMoved: hasMoved)
        guard waiting > 0 else {
            meter?.pause(at: now)
            isWatching = false
            return
        }
        guard meter?.isTooSlow(at: now) == true else { return lookLater() }
        stop()
        admitted?.noteSlow(.answer)
        whenTooSlow()
    }

    /// The bytes of answers that wait for the client, in the process and in the system.
    private func waitingBytes(_ information: TCPInformation?) -> Int {
        let own = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        return own + Int(clamping: information?.unsentBytes ?? 0)
    }
}

extension EventLoop {
    /// The time since some fixed moment.
    var uptime: Duration { .nanoseconds(Int64(clamping: now.uptimeNanoseconds)) }
}
