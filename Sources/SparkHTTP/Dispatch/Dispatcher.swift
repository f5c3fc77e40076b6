import Crypto
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
package import SparkCore
import SparkKit
import SparkStorage

/// Applies the checks of a route in one order: identify, authenticate, limit, parse, deduplicate. Then it calls the handler.
///
/// A request with a valid token is charged to its user's bucket. Every other request is charged to its network's bucket: open
/// routes, refused tokens, unknown paths and methods, preflights. Checking a token that this server did not issue costs one hash.
///
/// It turns the errors of routes into responses.
struct Dispatcher: Sendable {
    let configuration: EdgeConfiguration
    let clock: any WallClock
    let random: any RandomSource
    let authenticator: (any Authenticating)?
    let activity: (any ActivityRecording)?
    let liveness: (any SessionLiveness)?
    let tickets: (any TicketRedeeming)?
    let limiter: RateLimiter
    /// Nil before the data is open: no route has keys then.
    let idempotency: IdempotencyStore?
    let sharing: CrossOriginSharing
    let logger: Logger

    /// Answers a request that matched a route.
    func respond(to request: Request, context: EdgeContext, as route: Route) async throws -> Response {
        let requestID = requestID(of: request)
        var limits: RateLimiter.Verdict?
        var reply: Reply
        do {
            reply = try await self.reply(to: request, context: context, as: route, requestID: requestID, limits: &limits)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            reply = problem(error, requestID: requestID, path: route.path)
        }
        if limits == nil, route.rateLimit == .probe, (400..<500).contains(reply.status.code) {
            // Refusals on an unlimited route are limited too.
            limits = limiter.admit(.at(client(of: request, context)), .read)
            if let wait = limits?.retryAfter {
                reply = problem(EdgeError.rateLimited(wait), requestID: requestID, path: route.path)
            }
        }
        return response(reply, to: request, requestID: requestID, limits: limits)
    }

    /// Answers a request that matched no route with an error.
    func refuse(_ error: any Error, request: Request, context: EdgeContext, headers: HTTPFields = [:]) async -> Response {
        let requestID = requestID(of: request)
        var reply = problem(error, requestID: requestID, path: "")
        reply.headers.append(contentsOf: headers)
        return await finish(reply, request: request, context: context, requestID: requestID)
    }

    /// Answers a request that matched no route.
    func finish(_ reply: Reply, request: Request, context: EdgeContext) async -> Response {
        await finish(reply, request: request, context: context, requestID: requestID(of: request))
    }

    private func finish(_ reply: Reply, request: Request, context: EdgeContext, requestID: String) async -> Response {
        var reply = reply
        let principal = request.headers[.authorization] == nil ? nil : try? await bearer(of: request)
        let limits = limiter.admit(principal.map { .user($0.user) } ?? .at(client(of: request, context)), .read)
        if let wait = limits?.retryAfter { reply = problem(EdgeError.rateLimited(wait), requestID: requestID, path: "") }
        return response(reply, to: request, requestID: requestID, limits: limits)
    }

    private func client(of request: Request, _ context: EdgeContext) -> NetworkAddress? {
        ClientAddress.of(peer: context.peer, headers: request.headers, trustedProxies: configuration.trustedProxies)
    }

    private func reply(
        to request: Request, context: EdgeContext, as route: Route, requestID: String, limits: inout RateLimiter.Verdict?
    ) async throws -> Reply {
        let client = client(of: request, context)
        let principal: Principal?
        do {
            principal = try await self.principal(of: request, for: route)
        } catch {
            limits = limiter.admit(.at(client), .read)
            if let wait = limits?.retryAfter { throw EdgeError.rateLimited(wait) }
            throw error
        }
        limits = limiter.admit(principal.map { .user($0.user) } ?? .at(client), route.rateLimit)
        if let wait = limits?.retryAfter { throw EdgeError.rateLimited(wait) }
        // What the head alone refuses is refused before the body is read.
        let query = try query(of: request, for: route)
        let key = try idempotencyKey(of: request, for: route)
        let body = try await body(of: request, for: route, channel: context.channel)
        if let principal { activity?.recordActivity(of: principal.user) }
        var call = Call(
            principal: principal, headers: request.headers, client: client, now: clock.now(), requestID: requestID,
            logger: logger,
            path: Dictionary(context.parameters.map { (String($0.key), String($0.value)) }) { first, _ in first },
            query: query, body: body)
        call.isHead = request.method == .head
        call.ticket = route.access == .userOrTicket ? request.uri.queryParameters["ticket"].map { String($0) } : nil
        guard let key, let idempotency else { return try await answer(call, by: route) }
        let keyed = keyedRequest(
            request, key: key, in: idempotency, route: route, principal: principal, client: client, body: body)
        return try await idempotency.answer(keyed) { try await answer(call, by: route) }
    }

    /// Calls the handler. Its writes are refused once the session of the request has ended.
    private func answer(_ call: Call, by route: Route) async throws -> Reply {
        guard route.method != .get, let principal = call.principal, let liveness else { return try await route.handler(call) }
        return try await liveness.acting(as: principal) { try await route.handler(call) }
    }

    private func principal(of request: Request, for route: Route) async throws -> Principal? {
        guard route.access != .open else { return nil }
        if route.access == .userOrTicket, let tickets, let ticket = request.uri.queryParameters["ticket"] {
            return try tickets.redeem(String(ticket), isProbe: request.method == .head)
        }
        return try await bearer(of: request)
    }

    private func bearer(of request: Request) async throws -> Principal {
        guard let authenticator, let field = request.headers[.authorization] else { throw EdgeError.unauthenticated }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw EdgeError.unauthenticated }
        return try await authenticator.authenticate(token: String(parts[1]))
    }

    private func query(of request: Request, for route: Route) throws -> [String: QueryValue] {
        guard !route.query.isEmpty else { return [:] }
        var values: [String: QueryValue] = [:]
        let given = request.uri.queryParameters
        for parameter in route.query {
            let texts = given.getAll(parameter.name)
            if texts.count > 1, case .words = parameter.kind {
                values[parameter.name] = try parameter.value(of: texts.joined(separator: ","))
                continue
            }
            guard texts.count <= 1 else {
                throw InvalidInput.refused(parameter.name, "duplicate", "The parameter is given twice.")
            }
            values[parameter.name] = try parameter.value(of: texts.first)
        }
        return values
    }

    /// - Parameter channel: told before the body is read; nil for requests made inside the process.
    private func body(of request: Request, for route: Route, channel: (any Channel)?) async throws -> [UInt8] {
        guard route.body != nil else { return [] }
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if let length, length > configuration.maximumBodyBytes { throw EdgeError.bodyTooLarge }
        let isReadable = Self.isReadable(request)
        // An optional body that may turn out to be empty needs no type.
        guard isReadable || route.isBodyOptional && length ?? 0 == 0 else { throw EdgeError.unsupportedMediaType }
        if request.headers[.expect] != nil { channel?.triggerUserOutboundEvent(BodyWanted(), promise: nil) }
        var bytes: [UInt8] = []
        do {
            for try await chunk in request.body {
                guard bytes.count + chunk.readableBytes <= configuration.maximumBodyBytes else { throw EdgeError.bodyTooLarge }
                guard isReadable || chunk.readableBytes == 0 else { throw EdgeError.unsupportedMediaType }
                bytes.append(contentsOf: chunk.readableBytesView)
            }
        } catch let error where error is IOError || error is ChannelError {
            // The client is gone: nothing failed here, and nobody can be paged by resetting connections.
            throw InvalidInput.malformed("The connection ended before the body did.")
        }
        return bytes
    }

    /// Whether a body has the only type and coding that is read here.
    private static func isReadable(_ request: Request) -> Bool {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return type == "application/json" && request.headers[.contentEncoding]?.lowercased() ?? "identity" == "identity"
    }

    /// The request's key, checked; nil if there is none or it has no meaning on this route.
    private func idempotencyKey(of request: Request, for route: Route) throws -> String? {
        guard idempotency != nil, let key = request.headers[.idempotencyKey] else { return nil }
        switch route.idempotency {
        case .meaningless: return nil
        case .refused: throw EdgeError.idempotencyKeyUnsupported
        case .honoured: break
        }
        guard IdempotencyStore.keyLength.contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw EdgeError.idempotencyKeyInvalid
        }
        return key
    }

    private func keyedRequest(
        _ request: Request, key: String, in idempotency: IdempotencyStore, route: Route, principal: Principal?,
        client: NetworkAddress?, body: [UInt8]
    ) -> IdempotencyStore.Request {
        var target = request.head.path ?? ""
        // On a route about one session, the same request from another session is a different request.
        if let principal, Self.isOfSession(route) { target += "\u{0}\(principal.session.wire)" }
        let content = IdempotencyStore.Content(
            method: route.method.rawValue, target: target, precondition: request.headers[.ifMatch], body: body)
        guard let principal else {
            return idempotency.request(from: client?.network, key: key, content, isGrant: route.isGrant)
        }
        return idempotency.request(of: principal.user, key: key, content, isGrant: route.isGrant)
    }

    /// Whether a route ends sessions, which happens once per session. A user who closed the account and signed in again did not
    /// ask for it in the new session.
    private static func isOfSession(_ route: Route) -> Bool {
        route.path.hasPrefix("/api/v1/auth/") || (route.method == .delete && route.path == "/api/v1/me")
    }

    private func problem(_ error: any Error, requestID: String, path: String) -> Reply {
        if let error = error as? any ClientError {
            return ProblemDocument(error: error, requestID: requestID).reply
        }
        if !(error is CancellationError) {
            logger.error(
                "request failed",
                metadata: [
                    "request_id": .string(requestID), "route": .string(path), "error": .string(ErrorSummary.of(error)),
                ])
        }
        return ProblemDocument(error: InternalFault(), requestID: requestID).reply
    }

    private func response(
        _ reply: Reply, to request: Request, requestID: String, limits: RateLimiter.Verdict?
    ) -> Response {
        var headers = reply.headers
        headers[.requestID] = requestID
        limits?.write(to: &headers)
        var status = reply.status
        var body = reply.body
        var entityTag = reply.entityTag
        if let gzip = reply.gzip {
            headers.vary(on: "Accept-Encoding")
            if ContentCoding.allowsGzip(request.headers[.acceptEncoding]) {
                body = gzip
                headers[.contentEncoding] = "gzip"
                // The compressed bytes need another tag.
                entityTag = entityTag.map { "\($0)-gzip" }
            }
        }
        if let tag = entityTag {
            headers[.eTag] = "\"\(tag)\""
            // A change that took effect is never "not modified".
            let isRead = request.method == .get || request.method == .head
            if isRead, status == .ok, EntityTag.matches(request.headers[.ifNoneMatch], tag) {
                status = .notModified
                body = []
                headers[.contentEncoding] = nil
            }
        }
        if sharing.isOn { sharing.write(to: &headers, answering: request) }
        if headers[.cacheControl] == nil {
            headers[.cacheControl] = reply.entityTag == nil ? "private, no-store" : "private, no-cache"
        }
        if !body.isEmpty, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        if let pieces = reply.pieces {
            return Response(
                status: status, headers: headers, body: ResponseBody(asyncSequence: pieces.map { ByteBuffer(bytes: $0) }))
        }
        if let parts = reply.parts {
            return Response(status: status, headers: headers, body: PartialBody(parts: parts).body)
        }
        guard !body.isEmpty else {
            if status != .noContent, status != .notModified { headers[.contentLength] = "0" }
            return Response(status: status, headers: headers)
        }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    private func requestID(of request: Request) -> String {
        RequestID.given(request.headers[.requestID]) ?? RequestID.fresh(random)
    }
}

extension RateLimiter.Verdict {
    /// Writes `RateLimit-Policy` and `RateLimit`.
    func write(to headers: inout HTTPFields) {
        headers[.rateLimitPolicy] = policy.header
        headers[.rateLimit] = "\"default\";r=\(remaining);t=\(reset.roundedUpSeconds)"
    }
}

/// Weak comparison of entity tags (RFC 9110, section 13.1.2).
enum EntityTag {
    static func matches(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { candidate in
            let trimmed = candidate.drop { $0 == " " }.prefix { $0 != " " }
            return trimmed == "*" || trimmed == "\"\(tag)\"" || trimmed == "W/\"\(tag)\""
        }
    }
}

/// Redeems tickets, which replace an access token in a URL.
package protocol TicketRedeeming: Sendable {
    /// The principal that a ticket was issued for. The caller checks that the session is still live.
    /// - Parameter isProbe: whether the request only asks (HEAD), so that the ticket stays unused.
    /// - Throws: `EdgeError.unauthenticated` for a ticket that is unknown or expired.
    func redeem(_ ticket: String, isProbe: Bool) throws -> Principal
}
