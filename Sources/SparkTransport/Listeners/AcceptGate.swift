import Logging
import NIOCore
import SparkCore
import SparkKit
import Synchronization

/// Who may connect to a listener.
struct AcceptRule: Sendable {
    /// Nil where connections are only counted.
    let admission: Admission?
    /// Sockets that may be open at once, those that are being closed included. What comes beyond waits in the system's queue, but for
    /// what was accepted in the same go: up to `Listener.acceptedAtOnce` less one more.
    let mostSockets: Int
    let isTrustedProxy: @Sendable (NetworkAddress) -> Bool
}

/// What a connection's pipeline is told when the connection has to make room for others.
struct ConnectionShed: Sendable {
    let resource: AdmissionResource
}

/// Decides about each connection when it is accepted, before anything is spent on it. Stops accepting while too many sockets are
/// open, and for a moment when the system has no descriptor left.
///
/// Accepting stops by `autoRead`: NIO goes on reading after an error from accept(2), so to hold back `read` would not do, and the
/// loop would be busy with nothing else.
final class AcceptGate: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    /// How long nothing is accepted after the system refused.
    private static let rest = TimeAmount.milliseconds(250)
    private static let quietTime = Duration.seconds(60)

    private struct State {
        /// Nothing is accepted at the moment.
        var isPaused = false
        /// The system refused a moment ago.
        var isResting = false
        var lastComplaint: ContinuousClock.Instant?
        var farewells = FarewellBudget()
    }

    private let listener: Listener
    private let rule: AcceptRule
    private let server: any Channel
    private let logger: Logger
    private let state = Mutex(State())

    init(listener: Listener, rule: AcceptRule, server: any Channel, logger: Logger) {
        self.listener = listener
        self.rule = rule
        self.server = server
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        let newcomer = newcomer(channel)
        guard listener.add(newcomer) else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [self] _ in
            listener.remove(channel)
            resume()
        }
        if listener.count >= rule.mostSockets { hold() }
        if newcomer.refusal != nil, !mayExplain() { return channel.close(promise: nil) }
        context.fireChannelRead(data)
    }

    private func mayExplain() -> Bool {
        let now = server.eventLoop.now.uptimeNanoseconds
        return state.withLock { $0.farewells.take(at: now) }
    }

    private func newcomer(_ channel: any Channel) -> Listener.Newcomer {
        guard let admission = rule.admission else { return Listener.Newcomer(channel: channel, admitted: nil, refusal: nil) }
        let peer = NetworkAddress(channel.remoteAddress)
        let network = peer.map(rule.isTrustedProxy) == true ? nil : peer.networkName
        do {
            let admitted = try admission.connect(from: network, at: server.eventLoop.now.uptimeNanoseconds) {
                [weak channel] resource in
                guard let channel else { return }
                channel.eventLoop.execute {
                    channel.pipeline.fireUserInboundEventTriggered(ConnectionShed(resource: resource))
                }
            }
            return Listener.Newcomer(channel: channel, admitted: admitted, refusal: nil)
        } catch {
            let refusal = error as? AdmissionRefused ?? AdmissionRefused(resource: .connections, scope: .total)
            return Listener.Newcomer(channel: channel, admitted: nil, refusal: refusal)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError else { return context.fireErrorCaught(error) }
        let isNews = state.withLock { state in
            (state.isPaused, state.isResting) = (true, true)
            let now = ContinuousClock.now
            if let last = state.lastComplaint, last.duration(to: now) < Self.quietTime { return false }
            state.lastComplaint = now
            return true
        }
        if isNews { logger.error("connections cannot be accepted", metadata: ["error": "\(error)"]) }
        setAutoRead(false)
        server.eventLoop.scheduleTask(in: Self.rest) { [self] in
            state.withLock { $0.isResting = false }
            resume()
        }
    }

    private func hold() {
        state.withLock { $0.isPaused = true }
        setAutoRead(false)
        // A connection may have closed in between.
        resume()
    }

    /// Accepts again if there is room and the rest is over.
    private func resume() {
        let mayResume = state.withLock { state in
            guard state.isPaused, !state.isResting, listener.count < rule.mostSockets else { return false }
            state.isPaused = false
            return true
        }
        guard mayResume else { return }
        if server.eventLoop.inEventLoop { setAutoRead(true) } else { server.eventLoop.execute { self.setAutoRead(true) } }
    }

    private func setAutoRead(_ isOn: Bool) { _ = server.setOption(.autoRead, value: isOn) }
}
