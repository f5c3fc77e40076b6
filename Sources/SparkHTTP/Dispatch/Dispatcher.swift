import Crypto
import HTTPTypes
import Logging
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
    /// What goes wrong on request; nil in ordinary servers.
    var faults: FaultBoard?
    let logger: Logger

    /// Answers a request that matched a route.
    func respond(to request: EdgeRequest, as route: Route, _ parameters: [(name: String, value: String)]) async -> EdgeAnswer {
        if let faults, !FixturePath.contains(route.path),
            let delay = faults.delay(of: request.method.rawValue, route.path, at: request.target.path)
        {
            try? await Task.sleep(for: delay)
        }
        var limits: RateLimiter.Verdict?
        var reply: Reply
        do {
            reply = try await self.reply(to: request, as: route, parameters, limits: &limits)
        } catch {
            reply = problem(error, requestID: request.requestID, path: route.path)
        }
        if limits == nil, route.rateLimit == .probe, (400..<500).contains(reply.status.code) {
            // Refusals on an unlimited route are limited too.
            limits = limiter.admit(.at(client(of: request)), .read)
            if let wait = limits?.retryAfter {
                reply = problem(EdgeError.rateLimited(wait), requestID: request.requestID, path: route.path)
            }
        }
        return answer(reply, to: request, limits: limits)
    }

    /// Answers a request that matched no route with an error.
    func refuse(_ error: any Error, _ request: EdgeRequest, headers: HTTPFields = [:]) async -> EdgeAnswer {
        var reply = problem(error, requestID: request.requestID, path: "")
        reply.headers.append(contentsOf: headers)
        return await finish(reply, request)
    }

    /// Answers a request to a path that has other methods: a preflight, a late upgrade, or a mistake.
    func answerToOtherMethod(_ request: EdgeRequest, methods: [String]) async -> EdgeAnswer {
        if let preflight = sharing.preflight(request, methods: methods) { return await finish(preflight, request) }
        let isUpgrade = request.fields.hasUpgrade && methods.contains("GET")
        return await refuse(
            isUpgrade ? EdgeError.unsupportedUpgrade : .methodNotAllowed, request,
            headers: [.allow: methods.joined(separator: ", ")])
    }

    private func finish(_ reply: Reply, _ request: EdgeRequest) async -> EdgeAnswer {
        var reply = reply
        let principal = request.fields.authorization == nil ? nil : try? await bearer(of: request)
        let limits = limiter.admit(principal.map { .user($0.user) } ?? .at(client(of: request)), .read)
        if let wait = limits?.retryAfter {
            reply = problem(EdgeError.rateLimited(wait), requestID: request.requestID, path: "")
        }
        return answer(reply, to: request, limits: limits)
    }

    private func client(of request: EdgeRequest) -> NetworkAddress? {
        ClientAddress.of(peer: request.peer, headers: request.headers, trustedProxies: configuration.trustedProxies)
    }

    private func reply(
        to request: EdgeRequest, as route: Route, _ parameters: [(name: String, value: String)],
        limits: inout RateLimiter.Verdict?
    ) async throws -> Reply {
        let client = client(of: request)
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
        let body = try await body(of: request, for: route)
        if let principal { activity?.recordActivity(of: principal.user) }
        var call = Call(
            principal: principal, source: request, client: client, now: clock.now(),
            requestID: request.requestID, logger: logger, path: parameters, query: query, body: body)
        call.isHead = request.isHead
        call.presence = request.presence
        call.ticket = route.access == .userOrTicket ? request.target.value(of: "ticket") : nil
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

    private func principal(of request: EdgeRequest, for route: Route) async throws -> Principal? {
        guard route.access != .open else { return nil }
        if route.access == .userOrTicket, let tickets, let ticket = request.target.value(of: "ticket") {
            return try tickets.redeem(ticket, isProbe: request.isHead)
        }
        return try await bearer(of: request)
    }

    private func bearer(of request: EdgeRequest) async throws -> Principal {
        guard let authenticator, let field = request.fields.authorization, let token = BearerToken.read(field) else {
            throw EdgeError.unauthenticated
        }
        return try await authenticator.authenticate(token: token)
    }

    private func query(of request: EdgeRequest, for route: Route) throws -> [(name: String, value: QueryValue)] {
        guard !route.query.isEmpty else { return [] }
        var values: [(name: String, value: QueryValue)] = []
        for parameter in route.query {
            let texts = request.target.values(of: parameter.name)
            let value: QueryValue?
            if texts.count > 1, case .words = parameter.kind {
                value = try parameter.value(of: texts.joined(separator: ","))
            } else {
                guard texts.count <= 1 else {
                    throw InvalidInput.refused(parameter.name, "duplicate", "The parameter is given twice.")
                }
                value = try parameter.value(of: texts.first)
            }
            if let value { values.append((parameter.name, value)) }
        }
        return values
    }

    private func body(of request: EdgeRequest, for route: Route) async throws -> [UInt8] {
        guard route.body != nil else { return [] }
        var length = 0
        if case .length(let given) = request.fields.framing { length = given }
        if length > configuration.maximumBodyBytes { throw EdgeError.bodyTooLarge }
        let isReadable = Self.isReadable(request)
        // An optional body that may turn out to be empty needs no type.
        guard isReadable || route.isBodyOptional && length == 0 else { throw EdgeError.unsupportedMediaType }
        switch request.body {
        case .whole(let bytes):
            guard bytes.count <= configuration.maximumBodyBytes else { throw EdgeError.bodyTooLarge }
            guard isReadable || bytes.isEmpty else { throw EdgeError.unsupportedMediaType }
            return bytes
        case .arriving(let body):
            return try await body.collect(
                upTo: isReadable ? configuration.maximumBodyBytes : 0,
                tooLong: isReadable ? EdgeError.bodyTooLarge : .unsupportedMediaType)
        }
    }

    /// Whether a body has the only type and coding that is read here.
    private static func isReadable(_ request: EdgeRequest) -> Bool {
        guard let type = request.fields.contentType, request.fields.contentEncoding?.lowercased() ?? "identity" == "identity"
        else { return false }
        return type == "application/json" || type.prefix { $0 != ";" }.lowercased().filter { $0 != " " } == "application/json"
    }

    /// The request's key, checked; nil if there is none or it has no meaning on this route.
    private func idempotencyKey(of request: EdgeRequest, for route: Route) throws -> String? {
        guard idempotency != nil, let key = request.fields.idempotencyKey else { return nil }
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
        _ request: EdgeRequest, key: String, in idempotency: IdempotencyStore, route: Route, principal: Principal?,
        client: NetworkAddress?, body: [UInt8]
    ) -> IdempotencyStore.Request {
        var target = request.target.origin
        // On a route about one session, the same request from another session is a different request.
        if let principal, Self.isOfSession(route) { target += "\u{0}\(principal.session.wire)" }
        let content = IdempotencyStore.Content(
            method: route.method.rawValue, target: target, precondition: request.fields.ifMatch, body: body)
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

    private func answer(_ reply: Reply, to request: EdgeRequest, limits: RateLimiter.Verdict?) -> EdgeAnswer {
        var headers = reply.headers
        var status = reply.status
        var body = reply.body
        var entityTag = reply.entityTag
        if let gzip = reply.gzip {
            headers.vary(on: "Accept-Encoding")
            if ContentCoding.allowsGzip(request.fields.acceptEncoding) {
                body = gzip
                headers[.contentEncoding] = "gzip"
                // The compressed bytes need another tag.
                entityTag = entityTag.map { "\($0)-gzip" }
            }
        }
        if let tag = entityTag {
            // A change that took effect is never "not modified".
            if request.isRead, status == .ok, EntityTag.matches(request.fields.ifNoneMatch, tag) {
                status = .notModified
                // The fields that the whole answer would have (RFC 9110, 15.4.5); its own coding sets the field itself.
                if ContentCoding.isWorthwhile(body.count, headers) { headers.vary(on: "Accept-Encoding") }
                body = []
                headers[.contentEncoding] = nil
            }
        }
        if sharing.isOn { sharing.write(to: &headers, answering: request) }
        let isPlain = headers.isEmpty
        var cacheControl: String?
        if isPlain || headers[.cacheControl] == nil {
            cacheControl = entityTag == nil ? "private, no-store" : "private, no-cache"
        }
        let hasType = body.isEmpty || !isPlain && headers[.contentType] != nil
        let content: EdgeAnswer.Body
        if let pieces = reply.pieces {
            content = .pieces(pieces)
        } else if let parts = reply.parts {
            content = .parts(parts)
        } else {
            content = .whole(body)
        }
        return EdgeAnswer(
            status: status, headers: headers, requestID: request.requestID, cacheControl: cacheControl,
            contentType: hasType ? nil : "application/json", entityTag: entityTag.map { "\"\($0)\"" }, limits: limits,
            body: content, isHead: request.isHead, acceptEncoding: request.fields.acceptEncoding)
    }
}

extension RateLimiter.Verdict {
    /// The value of `RateLimit`.
    var header: String { "\"\(policy.name)\";r=\(remaining);t=\(reset.roundedUpSeconds)" }
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
