import HTTPTypes
import HummingbirdCore
import SparkKit

/// Cross-origin resource sharing (Fetch standard, 3.2): which pages of other origins may call the API and read its answers.
///
/// Tokens travel in `Authorization`, never in cookies, so credentials are never allowed, and an origin is named exactly, never `*`.
struct CrossOriginSharing: Sendable {
    let origins: AllowedOrigins

    /// Browsers ask again after this time; none keeps an answer longer than a day, Chromium two hours.
    private static let preflightSeconds = "7200"
    private static let requestFields = [
        "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "X-Request-Id",
        "Cache-Control",
    ].joined(separator: ", ")
    private static let answerFields = [
        "ETag", "Location", "X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After", "Idempotency-Replayed",
    ].joined(separator: ", ")
    private static let documents: Set<String> = ["/openapi.json", "/asyncapi.json", "/healthz", "/readyz"]

    /// Whether answers depend on the page that asks.
    var isOn: Bool { !origins.isEmpty }

    /// Adds what a page of an allowed origin needs to read this answer, and tells caches that the origin matters.
    func write(to headers: inout HTTPFields, answering request: Request) {
        guard isOn, Self.isShared(request.head.path ?? "") else { return }
        headers.vary(on: "Origin")
        guard let origin = allowedOrigin(of: request) else { return }
        headers[.accessControlAllowOrigin] = origin
        headers[.accessControlExposeHeaders] = Self.answerFields
        headers[.crossOriginResourcePolicy] = "cross-origin"
    }

    /// The answer to a preflight of an allowed origin; nil for every other request.
    /// - Parameter methods: those that the path answers.
    func preflight(_ request: Request, methods: [String]) -> Reply? {
        guard request.method == .options, request.headers[.accessControlRequestMethod] != nil,
            Self.isShared(request.head.path ?? ""), allowedOrigin(of: request) != nil
        else { return nil }
        var headers: HTTPFields = [
            .accessControlAllowMethods: methods.joined(separator: ", "), .accessControlAllowHeaders: Self.requestFields,
            .accessControlMaxAge: Self.preflightSeconds,
        ]
        headers.vary(on: "Access-Control-Request-Method, Access-Control-Request-Headers")
        // A preflight is for the browser alone, which keeps it in a cache of its own.
        headers[.cacheControl] = "private, no-store"
        return Reply(.noContent, headers: headers)
    }

    private func allowedOrigin(of request: Request) -> String? {
        guard let origin = request.headers[.origin], origins.contains(origin) else { return nil }
        return origin
    }

    /// Everything for clients; nothing of what is for operators and tests.
    private static func isShared(_ target: String) -> Bool {
        target.hasPrefix("/api/") || target.hasPrefix("/media/") || documents.contains(String(target.prefix { $0 != "?" }))
    }
}

extension HTTPFields {
    /// Names request fields on which the answer depends.
    mutating func vary(on names: String) {
        self[.vary] = self[.vary].map { "\($0), \(names)" } ?? names
    }
}
