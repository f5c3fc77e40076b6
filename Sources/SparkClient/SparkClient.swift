public import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
public import SparkCore

/// A client of Spark's public API.
///
/// One value represents one server and one login; copies are cheap. Errors that the server answers are `SparkProblem`; all
/// other errors come from the transport.
public struct SparkClient: Sendable {
    /// The server's base URL.
    public let url: String
    /// The access token, sent as `Authorization: Bearer`; nil before login.
    public var token: String?
    private let http: HTTPClient
    private let timeout: TimeAmount

    /// Creates a client.
    /// - Parameters:
    ///   - url: `http://host:port`, without a path.
    ///   - token: An access token, if there is one.
    ///   - http: May be shared among clients. Its owner shuts it down.
    ///   - timeout: The longest time for a request; 30 seconds by default.
    public init(url: String, token: String? = nil, http: HTTPClient = .shared, timeout: Duration = .seconds(30)) {
        self.url = url
        self.token = token
        self.http = http
        self.timeout = .milliseconds(timeout.milliseconds)
    }

    /// A client of a server on this machine whose address is known from its data directory. Its certificate is not verified: it is
    /// for the server's public name, and who can write the data directory could exchange it anyway.
    package init(ofThisMachine url: String, token: String? = nil, timeout: Duration) {
        self.init(url: url, token: token, http: url.hasPrefix("https://") ? Self.local : .shared, timeout: timeout)
    }

    private static let local: HTTPClient = {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration(tlsConfiguration: tls))
    }()

    /// A client of the same server with another access token.
    public func authenticated(with token: String) -> SparkClient {
        var copy = self
        copy.token = token
        return copy
    }

    /// Sends a request with a JSON body and returns the answer, whatever its status.
    /// - Parameter path: The whole path with its query, such as `/api/v1/me`.
    /// - Throws: The transport's error.
    public func send(
        _ method: String, _ path: String, json: (some JSONWritable)? = JSONValue?.none, headers: [(String, String)] = []
    ) async throws -> SparkAnswer {
        try await send(method, path, body: json.map { JSONWriter.bytes(of: $0) }, headers: headers)
    }

    /// Sends a request with the bytes of its body, whatever the answer's status.
    /// - Throws: The transport's error.
    public func send(
        _ method: String, _ path: String, body: [UInt8]?, headers: [(String, String)] = []
    ) async throws -> SparkAnswer {
        var request = HTTPClientRequest(url: url + path)
        request.method = .init(rawValue: method)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await http.execute(request, timeout: timeout)
        let content = try await response.body.collect(upTo: 64 * 1_024 * 1_024)
        return SparkAnswer(
            status: Int(response.status.code),
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first },
            body: Array(content.readableBytesView))
    }

    /// Sends a request that must succeed, and returns the JSON of its answer.
    /// - Throws: `SparkProblem` for every status other than 2xx, or the transport's error.
    public func call(
        _ method: String, _ path: String, json: (some JSONWritable)? = JSONValue?.none
    ) async throws -> JSONValue {
        let answer = try await send(method, path, json: json)
        guard (200..<300).contains(answer.status) else { throw SparkProblem(answer) }
        return answer.json
    }
}

/// The answer to a request.
public struct SparkAnswer: Sendable {
    /// The HTTP status.
    public let status: Int
    /// The header fields, by lower-case name. If a field occurs several times, only the first counts.
    public let headers: [String: String]
    /// The body's bytes.
    public let body: [UInt8]

    /// The body as JSON; null if it is not JSON.
    public var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }
}

/// An error that the server answered (RFC 9457).
public struct SparkProblem: Error, CustomStringConvertible {
    /// The HTTP status.
    public let status: Int
    /// The error's stable code, `module.reason`; `unknown` if the answer has none.
    public let code: String
    /// True if the same request may succeed later.
    public let isTemporary: Bool
    /// The request's id, which is also in the server's log; empty if the answer has none.
    public let requestID: String
    /// How long to wait before the same request; nil if the server does not say.
    public let retryAfter: Duration?
    /// The refused parts of the input.
    public let errors: [SparkAPI.Violation]

    init(_ answer: SparkAnswer) {
        let json = answer.json
        self.status = answer.status
        self.code = json["code"]?.string ?? "unknown"
        self.isTemporary = json["temporary"]?.bool ?? (answer.status >= 500)
        self.requestID = json["request_id"]?.string ?? ""
        self.errors = (json["errors"]?.array ?? []).compactMap { try? SparkAPI.Violation(json: $0) }
        self.retryAfter = answer.headers["retry-after"].flatMap { UInt32($0) }.map { .seconds($0) }
    }

    /// Status, code, the refused parts and the request id.
    public var description: String {
        "\(status) \(code)\(errors.map { "; \($0.field): \($0.detail)" }.joined()) (request \(requestID))"
    }
}
