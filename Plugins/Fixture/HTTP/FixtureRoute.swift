import HTTPTypes
import SparkCore
import SparkKit

extension Route {
    /// A route of the fixture. The server checks the token of the ready line before it is called.
    /// - Parameter path: below `/__test__`.
    static func fixture(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, query: [QueryParameter] = [],
        body: SchemaReference? = nil, status: HTTPResponse.Status = .ok, answer: SchemaReference? = nil,
        errors: [any ClientError] = [], handler: @escaping Handler
    ) -> Route {
        Route(
            method, path, summary, access: .open, rateLimit: .probe, query: query, body: body, status: status, answer: answer,
            idempotency: .meaningless, isBatchable: false, errors: [EdgeError.unauthenticated] + errors, handler: handler)
    }
}

extension [QueryParameter] {
    /// For how many items to wait, and how long.
    static var waiting: [QueryParameter] {
        [
            .integer("count", 1...4_096, default: 1, "For how many items to wait."),
            .integer("wait_ms", 0...30_000, default: 0, "How long to wait for them, in milliseconds; then there may be fewer."),
        ]
    }
}

extension Call {
    /// How long to wait.
    var wait: Duration { .milliseconds(integer("wait_ms")) }
}
