import HTTPTypes
package import Hummingbird
import NIOCore
import SparkCore
import SparkKit

/// One of the two entrances: the public one, with the API, and the operators' one, with metrics and console. It decides which
/// routers a request may reach; the routers answer.
package struct Door: Sendable {
    enum Side: Sendable { case everybody, operators }

    /// What both entrances share.
    struct Parts: Sendable {
        let api: EdgeRouter
        let operators: EdgeRouter
        let access: OperatorAccess
        let startGate: StartGate
        let dispatcher: Dispatcher
        let admission: Admission
        let trustedProxies: TrustedProxies
    }

    /// Paths that both entrances answer, at any time and under any host name.
    static let probes: Set<String> = ["/healthz", "/readyz"]

    let side: Side
    let parts: Parts

    /// Answers a request, or hands it to a router.
    package func respond(to request: Request, context: EdgeContext) async throws -> Response {
        let path = request.uri.path
        guard parts.startGate.isOpen || Self.probes.contains(path) else {
            return await parts.dispatcher.refuse(EdgeError.starting, request: request, context: context)
        }
        switch side {
        case .operators:
            guard Self.probes.contains(path) || mayOperate(request) else {
                return await parts.dispatcher.refuse(OperatorError.misdirected, request: request, context: context)
            }
            return try await parts.operators.respond(to: request, context: context)
        case .everybody:
            // Without an operator token these paths do not exist: the public router does not know them.
            if parts.operators.mayKnow(path), parts.access.accepts(request.headers[.authorization]) {
                return try await parts.operators.respond(to: request, context: context)
            }
            return try await answer(request, context)
        }
    }

    private func mayOperate(_ request: Request) -> Bool {
        parts.access.isOwn(host: request.head.authority, headers: request.headers)
            || parts.access.accepts(request.headers[.authorization])
    }

    /// A connection carries one request at a time, so the limits on connections bound most clients' requests. Requests through a
    /// trusted proxy are counted one by one.
    private func answer(_ request: Request, _ context: EdgeContext) async throws -> Response {
        guard let peer = context.peer, parts.trustedProxies.contains(peer), !Self.probes.contains(request.uri.path) else {
            return try await parts.api.respond(to: request, context: context)
        }
        let client = ClientAddress.of(
            peer: peer, headers: request.headers, trustedProxies: parts.trustedProxies)
        let permit: AdmissionPermit
        do {
            // The proxy's own requests have no limit by network.
            permit = try parts.admission.permit(for: .requests, network: client == peer ? nil : client.networkName)
        } catch {
            return await parts.dispatcher.refuse(error, request: request, context: context)
        }
        defer { permit.end() }
        return try await parts.api.respond(to: request, context: context)
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
