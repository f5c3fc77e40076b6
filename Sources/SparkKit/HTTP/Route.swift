public import HTTPTypes
public import SparkCore

/// One route of the HTTP API: method, path, access, rate limit, parameters and schemas. The dispatcher enforces the
/// declaration, and the OpenAPI document is generated from it.
public struct Route: Sendable {
    /// Answers a request. A thrown `ClientError` becomes a problem document (RFC 9457); any other error becomes a 500.
    public typealias Handler = @Sendable (Call) async throws -> Reply

    /// Which callers a route accepts.
    public enum Access: String, Sendable {
        /// Everybody, without a token.
        case open
        /// Callers with a valid access token.
        case user
        /// The same, or callers with a one-use ticket as `?ticket=`: for requests that browsers send without header fields.
        case userOrTicket
    }

    /// The rate limit of a route. The configuration holds the numbers.
    public enum RateLimit: String, CaseIterable, Sendable {
        /// Expensive and often attacked: registration, login.
        case credentials
        /// Requests that change nothing.
        case read
        /// Requests that change something.
        case write
        /// Health probes: unlimited while the server accepts them.
        case probe
        /// Batches, beside the requests in them. As many as requests of `write`.
        case batch
    }

    /// The HTTP method.
    public let method: HTTPRequest.Method
    /// The path below `/api/v1`, with `{name}` for parameters.
    public let path: String
    /// One sentence without a full stop, for the OpenAPI document.
    public let summary: String
    /// Which callers the route accepts.
    public let access: Access
    /// The rate limit that applies.
    public let rateLimit: RateLimit
    /// The parameters of the query string. The dispatcher ignores all others.
    public let query: [QueryParameter]
    /// The name and schema of the body; nil if the route reads none.
    public let body: SchemaReference?
    /// True if the client may leave the body out.
    public let isBodyOptional: Bool
    /// The status of a successful answer.
    public let status: HTTPResponse.Status
    /// The schema of a successful answer; nil if it has no body.
    public let answer: SchemaReference?
    /// The media type of a successful answer.
    public let answerType: String
    /// The meaning of an `Idempotency-Key`; nil if it follows from the method.
    private let givenIdempotency: Idempotency?
    /// True if the answer holds the tokens of a session. Under an `Idempotency-Key` the answer is repeated only while the
    /// tokens work.
    public let isGrant: Bool
    /// True if a batch may contain requests to the route. False for a route that reads or answers something other than JSON of
    /// moderate length: an upload, an export, a stream.
    public let isBatchable: Bool
    /// The route's own errors, for the documentation.
    public let errors: [any ClientError]
    /// Answers the request.
    public let handler: Handler

    /// - Parameters:
    ///   - access: `.user` by default.
    ///   - status: The status of a successful answer; 200 by default.
    ///   - answerType: The media type of a successful answer; `application/json` by default.
    ///   - idempotency: The meaning of an `Idempotency-Key`. By default it is honoured if the method changes something, and
    ///     ignored otherwise.
    ///   - isGrant: True if the answer holds the tokens of a session.
    ///   - isBatchable: False for uploads, exports and streams; true by default.
    public init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, access: Access = .user, rateLimit: RateLimit,
        query: [QueryParameter] = [], body: SchemaReference? = nil, isBodyOptional: Bool = false,
        status: HTTPResponse.Status = .ok, answer: SchemaReference? = nil, answerType: String = "application/json",
        idempotency: Idempotency? = nil, isGrant: Bool = false, isBatchable: Bool = true, errors: [any ClientError] = [],
        handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.access = access
        self.rateLimit = rateLimit
        self.query = query
        self.body = body
        self.isBodyOptional = isBodyOptional
        self.status = status
        self.answer = answer
        self.answerType = answerType
        self.givenIdempotency = idempotency
        self.isGrant = isGrant
        self.isBatchable = isBatchable
        self.errors = errors
        self.handler = handler
    }
}

extension Route {
    /// The meaning of an `Idempotency-Key` on a route.
    public enum Idempotency: Sendable {
        /// The request takes effect once; a repetition gets the same answer.
        case honoured
        /// The answer cannot be stored, so a request with a key is refused.
        case refused
        /// The key is ignored: the request changes nothing, or its answer is valid only once and a repetition needs a new one.
        case meaningless
    }

    /// The meaning of an `Idempotency-Key`: as declared, or by the method.
    public var idempotency: Idempotency {
        givenIdempotency ?? ([.post, .put, .patch, .delete].contains(method) ? .honoured : .meaningless)
    }

    /// A copy of the route with a prefix before its path.
    public func mounted(below prefix: String) -> Route {
        Route(
            method, prefix + path, summary, access: access, rateLimit: rateLimit, query: query, body: body,
            isBodyOptional: isBodyOptional, status: status, answer: answer, answerType: answerType,
            idempotency: givenIdempotency, isGrant: isGrant, isBatchable: isBatchable, errors: errors, handler: handler)
    }
}

/// A parameter of the query string.
public struct QueryParameter: Sendable {
    /// The type of a parameter, its range and its default.
    public enum Kind: Sendable {
        /// An integer in a range.
        case integer(ClosedRange<Int>, default: Int)
        /// One of several words; nil as the default means absent.
        case choice(WordList, default: String?)
        /// A comma-separated list of some of these words.
        case words(WordList)
        /// A text of at most `maximum` Unicode scalars, without U+0000.
        case text(maximum: Int)
    }

    /// The parameter's name in the query string.
    public let name: String
    /// Its type, range and default.
    public let kind: Kind
    /// One sentence for the OpenAPI document.
    public let help: String

    /// An integer in a range.
    public static func integer(_ name: String, _ range: ClosedRange<Int>, default value: Int, _ help: String) -> QueryParameter {
        QueryParameter(name: name, kind: .integer(range, default: value), help: help)
    }

    /// One of several words; nil as the default means absent.
    public static func choice(_ name: String, _ words: WordList, default value: String?, _ help: String) -> QueryParameter {
        QueryParameter(name: name, kind: .choice(words, default: value), help: help)
    }

    /// A comma-separated list of some of these words.
    public static func words(_ name: String, _ words: WordList, _ help: String) -> QueryParameter {
        QueryParameter(name: name, kind: .words(words), help: help)
    }

    /// A text of at most `maximum` Unicode scalars, as JSON Schema counts them. U+0000 is refused.
    public static func text(_ name: String, maximum: Int, _ help: String) -> QueryParameter {
        QueryParameter(name: name, kind: .text(maximum: maximum), help: help)
    }

    /// `limit`: the most items on a page, 1 to 100, 20 by default.
    public static let limit = integer("limit", 1...100, default: 20, "Maximum number of items.")
    /// `cursor`: the `next_cursor` of the previous page.
    public static let cursor = text("cursor", maximum: 256, "The next_cursor of the previous page.")
}

/// The words that a parameter allows, with a schema that has a name.
public struct WordList: Sendable {
    /// The words.
    public let words: [String]
    /// One of the words.
    public let schema: Schema

    /// The words of an enumeration.
    public static func of<Word: WireWord>(_ type: Word.Type) -> WordList {
        named(type.schemaName, type.summary, type.wireWords)
    }

    /// Words under a name.
    /// - Parameters:
    ///   - name: The name under `components` in the OpenAPI document.
    ///   - summary: One sentence for the OpenAPI document.
    public static func named(_ name: String, _ summary: String, _ words: [String]) -> WordList {
        WordList(words: words, schema: Schema.oneOf(words).named(name, summary))
    }
}
