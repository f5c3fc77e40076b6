public import HTTPTypes
public import Logging
public import SparkCore

/// One request, as a module sees it: authenticated, limited, its parameters validated by the row.
public struct Call: Sendable {
    /// Who asks; nil only on open routes.
    public let principal: Principal?
    public let headers: HTTPFields
    /// Of the client, the proxy's word for it where the proxy is trusted; nil for what never was on a network.
    public let client: NetworkAddress?
    public let now: Timestamp
    /// Also in the answer's `X-Request-Id` and in the access log.
    public let requestID: String
    private let serverLogger: Logger
    /// Whether only the head of the answer is wanted (`HEAD`): a handler may leave out what costs much.
    package var isHead = false
    /// The ticket that stood for a token. Opens streams, so it enters no log.
    package var ticket: String?
    private let path: [String: String]
    private let query: [String: QueryValue]
    private let body: [UInt8]

    package init(
        principal: Principal?, headers: HTTPFields, client: NetworkAddress?, now: Timestamp, requestID: String, logger: Logger,
        path: [String: String], query: [String: QueryValue], body: [UInt8]
    ) {
        self.principal = principal
        self.headers = headers
        self.client = client
        self.now = now
        self.requestID = requestID
        self.serverLogger = logger
        self.path = path
        self.query = query
        self.body = body
    }

    /// The client's address in its canonical form; empty when there is none.
    public var address: String { client?.text ?? "" }

    /// The client as limits and admission count it: the IPv4 address, or the IPv6 /64. Nil when there is no address.
    public var network: String? { client?.networkText }

    /// Carries the request's id.
    public var logger: Logger {
        var logger = serverLogger
        logger[metadataKey: "request_id"] = .string(requestID)
        return logger
    }

    /// Who asks.
    /// - Throws: `EdgeError.unauthenticated`; never on a route with `access: .user`.
    public var user: UserID {
        get throws { try session.user }
    }

    /// Who asks, in which session.
    public var session: Principal {
        get throws {
            guard let principal else { throw EdgeError.unauthenticated }
            return principal
        }
    }

    /// An identifier in the path.
    /// - Throws: `EdgeError.notFound` for texts that are none of this kind.
    public func identifier<Kind: IdentifierKind>(_ name: String, _ kind: Kind.Type = Kind.self) throws -> Identifier<Kind> {
        guard let text = path[name], let identifier = Identifier<Kind>(wire: text) else { throw EdgeError.notFound }
        return identifier
    }

    /// A parameter of the path as it stands.
    public func segment(_ name: String) -> String? { path[name] }

    /// The body, read as JSON.
    /// - Throws: `InvalidInput` naming everything that is wrong with it.
    public func body<Body: RequestBody>(_ type: Body.Type = Body.self) throws -> Body {
        let value: JSONValue
        do {
            value = try JSONParser.parse(body)
        } catch {
            throw InvalidInput.malformed("The body is not acceptable JSON: \(error.reason), at byte \(error.offset).")
        }
        var reader = try ObjectReader(value)
        let result = Body(from: &reader)
        try reader.finish()
        return result
    }

    /// Whether there is a body at all.
    public var hasBody: Bool { !body.isEmpty }

    /// A declared whole-number parameter, its default if absent.
    public func integer(_ name: String) -> Int {
        guard case .integer(let value) = query[name] else { preconditionFailure("no such parameter is declared: \(name)") }
        return value
    }

    /// A declared word or text parameter.
    public func text(_ name: String) -> String? {
        if case .text(let value) = query[name] { value } else { nil }
    }

    /// A declared list of words; nil if absent.
    public func words(_ name: String) -> [String]? {
        if case .words(let value) = query[name] { value } else { nil }
    }
}

/// A validated parameter of the query string.
package enum QueryValue: Sendable {
    case integer(Int)
    case text(String)
    case words([String])
}

/// What a handler answers.
public struct Reply: Sendable {
    public var status: HTTPResponse.Status
    public var headers: HTTPFields
    /// JSON text; empty for no body.
    public var body: [UInt8]
    /// An entity tag without quotes; the edge compares it with `If-None-Match`.
    public var entityTag: String?
    /// The body in gzip, for clients that take it; only constant documents have it, so that nothing is compressed per request.
    public var gzip: [UInt8]?
    /// Sent piece by piece as it comes, instead of the body; its type stands in `headers`.
    public var pieces: AsyncStream<[UInt8]>?
    /// The same for what may break off: the connection then closes without the body's end, so that nobody takes a part for the
    /// whole. It also closes when the client does not read on for a while.
    public var parts: AsyncThrowingStream<[UInt8], any Error>?

    public init(
        _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], json body: [UInt8] = [], entityTag: String? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.entityTag = entityTag
    }

    public static func json(
        _ value: some JSONWritable, _ status: HTTPResponse.Status = .ok, entityTag: String? = nil
    ) -> Reply {
        Reply(status, json: JSONWriter.bytes(of: value), entityTag: entityTag)
    }

    /// A page of a list.
    public static func page(_ items: [some JSONWritable], nextCursor: String?) -> Reply {
        var writer = JSONWriter(capacity: 256 + items.count * 256)
        writer.object { writer in
            writer.key("items")
            writer.array(items)
            writer.key("next_cursor")
            if let nextCursor { writer.value(nextCursor) } else { writer.null() }
        }
        return Reply(json: writer.bytes)
    }

    public static let noContent = Reply(.noContent)
}
