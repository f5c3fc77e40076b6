public import HTTPTypes
public import Logging
public import SparkCore

/// One request as a module sees it: authenticated, rate-limited, with parameters that match the route's declaration.
public struct Call: Sendable {
    /// The signed-in user and session; nil only on routes with `access: .open`.
    public let principal: Principal?
    /// The request's header fields. Reading them converts them all, so read them once.
    public var headers: HTTPFields { source.modularFields }
    /// The client's address, as a trusted proxy forwards it; nil for calls inside the process.
    public let client: NetworkAddress?
    /// When the request was dispatched.
    public let now: Timestamp
    /// The request's id; also in the answer's `X-Request-Id` and in the access log.
    public let requestID: String
    private let serverLogger: Logger
    /// The request that this is the call of.
    package let source: any CallSource
    /// Whether the client is still there; nil for calls inside the process.
    package var presence: ClientPresence?
    /// True for `HEAD`: a handler may leave out an expensive body.
    package var isHead = false
    /// The one-use ticket that replaced the access token. It opens streams, so it never enters a log.
    package var ticket: String?
    private let path: [(name: String, value: String)]
    private let query: [(name: String, value: QueryValue)]
    /// The bytes of the body; empty without one.
    package let bodyBytes: [UInt8]

    package init(
        principal: Principal?, source: any CallSource, client: NetworkAddress?, now: Timestamp,
        requestID: String, logger: Logger, path: [(name: String, value: String)], query: [(name: String, value: QueryValue)],
        body: [UInt8]
    ) {
        self.principal = principal
        self.source = source
        self.client = client
        self.now = now
        self.requestID = requestID
        self.serverLogger = logger
        self.path = path
        self.query = query
        self.bodyBytes = body
    }

    /// The client's address in its canonical form; empty when there is none.
    public var address: String { client?.text ?? "" }

    /// The client as limits and admission count it: the IPv4 address, or the IPv6 /64. Nil if there is no address.
    public var network: String? { client?.networkText }

    /// A logger that adds the request's id to every line.
    public var logger: Logger {
        var logger = serverLogger
        logger[metadataKey: "request_id"] = .string(requestID)
        return logger
    }

    /// The signed-in user.
    /// - Throws: `EdgeError.unauthenticated`; never on a route with `access: .user`.
    public var user: UserID {
        get throws { try session.user }
    }

    /// The signed-in user and session.
    /// - Throws: `EdgeError.unauthenticated`; never on a route with `access: .user`.
    public var session: Principal {
        get throws {
            guard let principal else { throw EdgeError.unauthenticated }
            return principal
        }
    }

    /// An identifier in the path.
    /// - Throws: `EdgeError.notFound` if the text is not an identifier of this kind.
    public func identifier<Kind: IdentifierKind>(_ name: String, _ kind: Kind.Type = Kind.self) throws -> Identifier<Kind> {
        guard let text = segment(name), let identifier = Identifier<Kind>(wire: text) else { throw EdgeError.notFound }
        return identifier
    }

    /// A parameter of the path, as the client sent it; nil if the path has none of that name.
    public func segment(_ name: String) -> String? { path.first { $0.name == name }?.value }

    /// Reads the JSON body.
    /// - Throws: `InvalidInput` with every mistake in the body.
    public func body<Body: RequestBody>(_ type: Body.Type = Body.self) throws -> Body {
        try Body.read(bodyValue())
    }

    /// The JSON of the body.
    package func bodyValue() throws(InvalidInput) -> JSONValue {
        do throws(JSONParser.Failure) {
            return try JSONParser.parse(bodyBytes)
        } catch {
            throw .malformed("The body is not acceptable JSON: \(error.reason), at byte \(error.offset).")
        }
    }

    /// True if the request has a body.
    public var hasBody: Bool { !bodyBytes.isEmpty }

    /// The value of a declared integer parameter, or its default. Traps if the route does not declare the parameter.
    public func integer(_ name: String) -> Int {
        guard case .integer(let value) = parameter(name) else { preconditionFailure("no such parameter is declared: \(name)") }
        return value
    }

    /// The value of a declared choice or text parameter; nil if it is absent and has no default.
    public func text(_ name: String) -> String? {
        if case .text(let value) = parameter(name) { value } else { nil }
    }

    /// The value of a declared word list; nil if it is absent.
    public func words(_ name: String) -> [String]? {
        if case .words(let value) = parameter(name) { value } else { nil }
    }

    private func parameter(_ name: String) -> QueryValue? { query.first { $0.name == name }?.value }
}

/// The request behind a call.
package protocol CallSource: AnyObject, Sendable {
    /// Its header fields, converted.
    var modularFields: HTTPFields { get }
}

/// A validated parameter of the query string.
package enum QueryValue: Sendable {
    case integer(Int)
    case text(String)
    case words([String])
}

/// The answer of a handler.
public struct Reply: Sendable {
    /// The HTTP status.
    public var status: HTTPResponse.Status
    /// Header fields besides those that the edge adds.
    public var headers: HTTPFields
    /// JSON text; empty for an answer without a body.
    public var body: [UInt8]
    /// The entity tag without quotes. The edge compares it with `If-None-Match`.
    public var entityTag: String?
    /// The gzip-compressed body, for clients that accept it. Only constant documents have one, so the server compresses nothing
    /// for each request.
    public var gzip: [UInt8]?
    /// Replaces `body`: pieces that are sent as they arrive. The content type is in `headers`.
    public var pieces: AsyncStream<[UInt8]>?
    /// Replaces `body` where the stream may fail. On an error the connection closes without the end of the body, so that the
    /// client cannot mistake a part for the whole. It also closes if the client stops reading for a while.
    public var parts: AsyncThrowingStream<[UInt8], any Error>?

    /// An answer with a JSON body, or with none.
    public init(
        _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], json body: [UInt8] = [], entityTag: String? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.entityTag = entityTag
    }

    /// An answer whose body is the JSON of a value.
    public static func json(
        _ value: some JSONWritable, _ status: HTTPResponse.Status = .ok, entityTag: String? = nil
    ) -> Reply {
        Reply(status, json: JSONWriter.bytes(of: value), entityTag: entityTag)
    }

    /// One page of a list: `items` and `next_cursor`, which is null on the last page.
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

    /// 204 without a body.
    public static let noContent = Reply(.noContent)
}
