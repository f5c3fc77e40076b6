import HTTPTypes
import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit

/// A connection's first request while a route decides whether the connection changes to another protocol. Nothing is spent on the
/// request before that. Used on the connection's event loop only.
final class UpgradeOffer {
    /// What the connection does.
    enum Outcome {
        /// Sends this answer as its last.
        case refused(Reply)
        case accepted(any UpgradedConnection)
    }

    private enum State {
        /// The head arrived, but not its end.
        case offered
        /// The route is deciding. Nothing is read meanwhile.
        case deciding(Task<Void, Never>)
        /// Answered or given up.
        case over
    }

    private let gateway: UpgradeGateway
    private let route: any UpgradeRoute
    private let head: HTTPRequestHead
    private let channel: any Channel
    private let requestID: String
    private let offeredAt = ContinuousClock.now
    /// The client's address, as limits use it.
    private var address = ""
    private var state = State.offered
    private var decide: ((Outcome) -> Void)?

    /// - Parameter decide: called at most once, on the event loop.
    init(
        _ head: HTTPRequestHead, to route: any UpgradeRoute, gateway: UpgradeGateway, channel: any Channel, requestID: String,
        decide: @escaping (Outcome) -> Void
    ) {
        self.head = head
        self.route = route
        self.gateway = gateway
        self.channel = channel
        self.requestID = requestID
        self.decide = decide
    }

    /// Whether the connection is not read from.
    var holdsReads: Bool { if case .deciding = state { true } else { false } }

    /// The client sent more than a head.
    func brokeOff() { refuse(route.brokenHandshake) }

    /// The server is stopping.
    /// - Returns: false if the connection can close at once.
    func quiesce() -> Bool {
        guard holdsReads else { return false }
        refuse(EdgeError.overloaded)
        return true
    }

    /// The whole request has arrived.
    func consider() {
        guard case .offered = state else { return brokeOff() }
        guard gateway.isOpen else { return refuse(EdgeError.starting) }
        let handshake: any UpgradeHandshake
        do { handshake = try route.handshake(head) } catch { return refuse(error) }
        let request = gateway.request(head, peer: NetworkAddress(channel.remoteAddress))
        address = request.peerAddress
        let decided = channel.eventLoop.makePromise(of: (any AcceptedUpgrade).self)
        let task = decided.completeWithTask { try await handshake.accept(request) }
        state = .deciding(task)
        let deadline = channel.eventLoop.assumeIsolated().scheduleTask(in: gateway.patience) {
            if self.holdsReads { self.refuse(EdgeError.overloaded) }
        }
        decided.futureResult.assumeIsolated().whenComplete { result in
            deadline.cancel()
            self.finish(result)
        }
    }

    /// Cancels the decision: the client has left.
    func giveUp() {
        if case .deciding(let task) = state { task.cancel() }
        state = .over
        decide = nil
    }

    /// Counts the upgrade once its answer has been sent.
    func noteAccepted() { gateway.noteUpgrade(path: route.path, requestID: requestID, since: offeredAt, of: channel) }

    private func finish(_ result: Result<any AcceptedUpgrade, any Error>) {
        switch (result, state) {
        case (.success(let accepted), .deciding):
            state = .over
            take()?(.accepted(accepted.connection(on: channel.eventLoop)))
        case (.success(let accepted), _): accepted.decline()
        case (.failure(let error), .deciding): refuse(error)
        case (.failure, _): break
        }
    }

    /// Answers as the edge would. The connection closes then: bytes after an upgrade could belong to either protocol.
    private func refuse(_ error: any Error) {
        let decide = take()
        giveUp()
        guard let decide else { return }
        let reply = gateway.refusal(error, path: route.path, requestID: requestID, address: address)
        gateway.note(reply.status.code, path: route.path, requestID: requestID, bytes: reply.body.count, since: offeredAt)
        decide(.refused(reply))
    }

    private func take() -> ((Outcome) -> Void)? {
        defer { decide = nil }
        return decide
    }
}
