public import AsyncHTTPClient
import NIOCore
import NIOHTTP1
public import SparkCore

/// A client of Spark's public API.
///
/// One value a server; cheap to copy. Errors of the server come back as `SparkProblem`, everything else as the transport's.
public struct SparkClient: Sendable {
    public let url: String
    /// Sent as `Authorization: Bearer`; nil before login.
    public var token: String?
    private let http: HTTPClient
    private let timeout: TimeAmount

    /// - Parameters:
    ///   - url: `http://host:port`, without a path.
    ///   - http: shared among clients; shut down by its owner.
    public init(url: String, token: String? = nil, http: HTTPClient = .shared, timeout: Duration = .seconds(30)) {
        self.url = url
        self.token = token
        self.http = http
        self.timeout = .milliseconds(timeout.milliseconds)
    }

    /// The same server, as somebody else.
    public func authenticated(with token: String) -> SparkClient {
        var copy = self
        copy.token = token
        return copy
    }

    /// One request, whatever its answer.
    /// - Parameter path: the whole path with its query, e.g. `/api/v1/me`.
    public func send(
        _ method: String, _ path: String, json: (some JSONWritable)? = JSONValue?.none, headers: [(String, String)] = []
    ) async throws -> SparkAnswer {
        try await send(method, path, body: json.map { JSONWriter.bytes(of: $0) }, headers: headers)
    }

    /// One request with a body as it stands.
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

    /// One request that must succeed.
    /// - Throws: `SparkProblem` for every status but 2xx.
    public func call(
        _ method: String, _ path: String, json: (some JSONWritable)? = JSONValue?.none
    ) async throws -> JSONValue {
        let answer = try await send(method, path, json: json)
        guard (200..<300).contains(answer.status) else { throw SparkProblem(answer) }
        return answer.json
    }
}

/// What came back.
public struct SparkAnswer: Sendable {
    public let status: Int
    /// By lower-case name.
    public let headers: [String: String]
    public let body: [UInt8]

    /// The body as JSON; null when it is none.
    public var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }
}

/// An error that the server answered (RFC 9457).
public struct SparkProblem: Error, CustomStringConvertible {
    public let status: Int
    public let code: String
    /// Whether the same request may succeed later.
    public let isTemporary: Bool
    public let requestID: String

    init(_ answer: SparkAnswer) {
        let json = answer.json
        self.status = answer.status
        self.code = json["code"]?.string ?? "unknown"
        self.isTemporary = json["temporary"]?.bool ?? (answer.status >= 500)
        self.requestID = json["request_id"]?.string ?? ""
    }

    public var description: String { "\(status) \(code) (request \(requestID))" }
}
