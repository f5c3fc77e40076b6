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

    /// Answers a request, or hands it to a router. A response to HEAD has no body (RFC 9110, 9.3.2): a client
    /// would take it for the next response.
    package func respond(to request: Request, context: EdgeContext) async throws -> Response {
        let response = try await decide(request, context)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func decide(_ request: Request, _ context: EdgeContext) async throws -> Response {
        let path = request.uri.path
        guard parts.startGate.isOpen || Self.probes.contains(path) else {
            return try await refuse(EdgeError.starting, request, context)
        }
        switch side {
        case .operators:
            guard Self.probes.contains(path) || mayOperate(request) else {
                return try await refuse(OperatorError.misdirected, request, context)
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

    /// Refuses a request before a router sees it. It is counted and logged as one that matches no route.
    private func refuse(_ error: any Error, _ request: Request, _ context: EdgeContext) async throws -> Response {
        try await parts.api.unmatched.measure(request.method) {
            await parts.dispatcher.refuse(error, request: request, context: context)
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
            return try await refuse(error, request, context)
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
