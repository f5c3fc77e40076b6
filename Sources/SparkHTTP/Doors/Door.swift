import SparkCore
import SparkKit

/// One of the two entrances: the public one, with the API, and the operators' one, with metrics and console. It decides which
/// routers a request may reach; the routers answer.
package final class Door: Sendable {
    enum Side: Sendable { case everybody, operators }

    /// What both entrances share.
    struct Parts: Sendable {
        let api: RouteTable
        let operators: RouteTable
        let access: OperatorAccess
        let startGate: StartGate
        /// Nil for a server whose state is never replaced.
        let requestGate: RequestGate?
        let dispatcher: Dispatcher
        let admission: Admission
        let trustedProxies: TrustedProxies
        /// Whether the server is one that a test steers.
        var hasFixture = false
    }

    /// Whether a path is one of those that both entrances answer, at any time and under any host name.
    static func isProbe(_ path: Substring) -> Bool { path == "/healthz" || path == "/readyz" }

    private let side: Side
    private let parts: Parts

    init(side: Side, parts: Parts) {
        self.side = side
        self.parts = parts
    }

    /// Answers a request.
    package func respond(to request: EdgeRequest) async -> EdgeAnswer {
        let path = request.target.path
        guard parts.startGate.isOpen || Self.isProbe(path) else { return await refuse(EdgeError.starting, request) }
        if parts.hasFixture, FixturePath.contains(path), !parts.access.accepts(request.fields.authorization) {
            return await refuse(EdgeError.unauthenticated, request)
        }
        switch side {
        case .operators:
            guard Self.isProbe(path) || mayOperate(request) else {
                return await refuse(OperatorError.misdirected, request)
            }
            return await parts.operators.respond(to: request)
        case .everybody:
            // Without an operator token these paths do not exist: the public table does not know them.
            if parts.operators.mayKnow(path), parts.access.accepts(request.fields.authorization) {
                return await parts.operators.respond(to: request)
            }
            return await answer(request)
        }
    }

    /// Refuses a request at this entrance. Only the public one counts for the service level.
    private func refuse(_ error: any Error, _ request: EdgeRequest) async -> EdgeAnswer {
        await (side == .operators ? parts.operators : parts.api).refuse(error, request)
    }

    private func mayOperate(_ request: EdgeRequest) -> Bool {
        parts.access.isOwn(host: request.fields.host, headers: request.headers)
            || parts.access.accepts(request.fields.authorization)
    }

    /// Answers a request of the server itself, also before others are let in.
    package func respondEarly(to request: EdgeRequest) async -> EdgeAnswer { await parts.api.respond(to: request) }

    /// The paths whose answers last: streams and polls, which end when the state is replaced.
    private static let lasting: Set<Substring> = ["/api/v1/ws", "/api/v1/stream", "/api/v1/poll"]

    private func answer(_ request: EdgeRequest) async -> EdgeAnswer {
        let path = request.target.path
        guard !Self.isProbe(path) else { return await parts.api.respond(to: request) }
        guard let gate = parts.requestGate else { return await admit(request) }
        if Self.lasting.contains(path) {
            await gate.pass()
            return await admit(request)
        }
        await gate.enter()
        defer { gate.leave() }
        return await admit(request)
    }

    private func admit(_ request: EdgeRequest) async -> EdgeAnswer {
        let permit: AdmissionPermit?
        do {
            permit = try parts.admission.permit(for: request, behind: parts.trustedProxies)
        } catch {
            return await parts.api.refuse(error, request)
        }
        defer { permit?.end() }
        return await parts.api.respond(to: request)
    }
}

extension Admission {
    /// Takes a place among the requests under way. A connection carries one request at a time, so the limits on connections bound
    /// most clients' requests; requests through a trusted proxy are counted one by one.
    /// - Returns: nil for a request that is not counted.
    func permit(for request: EdgeRequest, behind proxies: TrustedProxies) throws -> AdmissionPermit? {
        guard let peer = request.peer, proxies.contains(peer) else { return nil }
        let client = ClientAddress.of(peer: peer, headers: request.headers, trustedProxies: proxies)
        // The proxy's own requests have no limit by network.
        return try permit(for: .requests, network: client == peer ? nil : client.networkName)
    }
}

/// Why the operators' listener refuses a request.
enum OperatorError: ClientError {
    /// The request has no token and its host name is not a loopback name.
    case misdirected

    var code: String { "operator.misdirected" }
    var status: Int { 421 }
    var detail: String {
        "This listener answers under the names localhost, 127.0.0.1 and [::1], without a proxy in front; other names need metrics.token."
    }
}
