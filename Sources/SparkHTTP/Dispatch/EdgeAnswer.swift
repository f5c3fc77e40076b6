package import HTTPTypes
import SparkKit

/// The answer to a request, before it is written to its connection.
package struct EdgeAnswer: Sendable {
    /// The body of an answer.
    enum Body: Sendable {
        /// Empty for an answer without a body.
        case whole([UInt8])
        /// Pieces that are sent as they come.
        case pieces(AsyncStream<[UInt8]>)
        /// Parts that may fail to come. The connection ends without the body's end then, so that the client cannot mistake a part
        /// for the whole. The next part is made only after the connection has accepted the one before, so nothing accumulates for
        /// a slow client.
        case parts(AsyncThrowingStream<[UInt8], any Error>)
    }

    var status: HTTPResponse.Status
    /// The fields but for those below, which every answer has or may have: a list of fields costs more than they do.
    var headers: HTTPFields
    var requestID: String
    /// The value of `Cache-Control`; nil if the fields have it.
    var cacheControl: String?
    /// The value of `Content-Type`; nil if the fields have it, or without a body.
    var contentType: String?
    /// The value of `ETag`, with its quotes.
    var entityTag: String?
    var limits: RateLimiter.Verdict?
    var body: Body
    /// Whether this answers HEAD: the body is not sent.
    var isHead = false
    /// The codings that the client accepts, for a body that may be compressed now.
    var acceptEncoding: String?
    /// Called with the number of bytes once a body that is not whole was sent.
    var whenSent: (@Sendable (Int) -> Void)?

    /// The number of bytes that will be sent; nil if nobody knows yet.
    var length: Int? {
        if isHead { return 0 }
        return if case .whole(let bytes) = body { bytes.count } else { nil }
    }

    /// Whether the status never has a body (RFC 9110, 6.4.1).
    var isBodiless: Bool { status == .noContent || status == .notModified || status.kind == .informational }

    /// Calls `write` with each field but those of the connection.
    func forEachField(_ write: (String, String) -> Void) {
        for field in headers { write(field.name.rawName, field.value) }
        write("X-Request-Id", requestID)
        if let cacheControl { write("Cache-Control", cacheControl) }
        if let contentType { write("Content-Type", contentType) }
        if let entityTag { write("ETag", entityTag) }
        if let limits {
            write("RateLimit-Policy", limits.policy.header)
            write("RateLimit", limits.header)
        }
        if case .whole(let bytes) = body, !isBodiless { write("Content-Length", "\(bytes.count)") }
    }

    /// The head and the body, once the body is complete. For requests made inside the process.
    package func collected() async throws -> (head: HTTPResponse, body: [UInt8]) {
        var head = HTTPResponse(status: status)
        forEachField { name, value in
            if let name = HTTPField.Name(name) { head.headerFields.append(HTTPField(name: name, value: value)) }
        }
        guard !isHead else { return (head, []) }
        var bytes: [UInt8] = []
        switch body {
        case .whole(let whole): return (head, whole)
        case .pieces(let pieces): for await piece in pieces { bytes += piece }
        case .parts(let parts): for try await part in parts { bytes += part }
        }
        whenSent?(bytes.count)
        return (head, bytes)
    }
}
