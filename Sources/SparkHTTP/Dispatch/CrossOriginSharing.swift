import HTTPTypes
import NIOHTTP1
import SparkKit

/// Cross-origin resource sharing (Fetch standard, 3.2): which pages of other origins may call the API and read its responses.
///
/// Tokens are sent in `Authorization`, never in cookies. Therefore credentials are never allowed, and the allowed origin is sent
/// exactly, never as `*`.
struct CrossOriginSharing: Sendable {
    let origins: AllowedOrigins

    /// How long browsers may cache a preflight. None keeps it for more than a day; Chromium keeps it for two hours.
    private static let preflightSeconds = "7200"
    private static let requestFields = [
        "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "X-Request-Id",
        "Cache-Control",
    ].joined(separator: ", ")
    /// The fields of answers that programs read.
    static let answerFields = [
        "ETag", "Location", "X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After", "Idempotency-Replayed",
    ]
    private static let exposedFields = answerFields.joined(separator: ", ")
    private static let documents: Set<String> = ["/openapi.json", "/asyncapi.json", "/healthz", "/readyz"]

    /// Whether responses depend on the origin of the request.
    var isOn: Bool { !origins.isEmpty }

    /// Adds the fields that a page of an allowed origin needs to read this response, and `Vary: Origin` for caches.
    func write(to headers: inout HTTPFields, answering request: EdgeRequest) {
        guard isOn, Self.isShared(request.target.path) else { return }
        headers.vary(on: "Origin")
        guard let origin = allowedOrigin(of: request) else { return }
        headers[.accessControlAllowOrigin] = origin
        headers[.accessControlExposeHeaders] = Self.exposedFields
        headers[.crossOriginResourcePolicy] = "cross-origin"
    }

    /// The response to a preflight from an allowed origin; nil for any other request.
    /// - Parameter methods: the methods of the path.
    func preflight(_ request: EdgeRequest, methods: [String]) -> Reply? {
        guard request.method == .OPTIONS, request.headers.contains(name: "Access-Control-Request-Method"),
            Self.isShared(request.target.path), allowedOrigin(of: request) != nil
        else { return nil }
        var headers: HTTPFields = [
            .accessControlAllowMethods: methods.joined(separator: ", "), .accessControlAllowHeaders: Self.requestFields,
            .accessControlMaxAge: Self.preflightSeconds,
        ]
        headers.vary(on: "Access-Control-Request-Method, Access-Control-Request-Headers")
        // Only the browser uses a preflight's response, and it has a separate cache for it.
        headers[.cacheControl] = "private, no-store"
        return Reply(.noContent, headers: headers)
    }

    private func allowedOrigin(of request: EdgeRequest) -> String? {
        guard let origin = request.fields.origin, origins.contains(origin) else { return nil }
        return origin
    }

    /// Whether a path is meant for clients: the API, media and documents, but not the routes for operators and tests.
    private static func isShared(_ path: Substring) -> Bool {
        path.hasPrefix("/api/") || path.hasPrefix("/media/") || documents.contains(String(path))
    }
}

extension HTTPFields {
    /// Adds request fields on which the response depends.
    mutating func vary(on names: String) {
        self[.vary] = self[.vary].map { "\($0), \(names)" } ?? names
    }
}
