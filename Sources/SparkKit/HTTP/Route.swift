public import HTTPTypes
public import SparkCore

/// One row of the HTTP interface: what is answered, to whom, how often, and in which form. The dispatcher applies the checks, the
/// OpenAPI document is made from it, so neither can drift from the code.
public struct Route: Sendable {
    public typealias Handler = @Sendable (Call) async throws -> Reply

    public enum Access: String, Sendable {
        /// Anybody.
        case open
        /// A valid access token.
        case user
        /// The same, or a ticket as `?ticket=`, for what browsers open without header fields.
        case userOrTicket
    }

    /// How often it may be called; the numbers stand in the configuration.
    public enum RateLimit: String, CaseIterable, Sendable {
        /// Costly and worth attacking: registration, login.
        case credentials
        case read
        case write
        /// Probes: never limited, unless they are refused.
        case probe
    }

    public let method: HTTPRequest.Method
    /// Below `/api/v1`, with `{name}` for parameters.
    public let path: String
    /// One sentence without a full stop.
    public let summary: String
    public let access: Access
    public let rateLimit: RateLimit
    public let query: [QueryParameter]
    /// The body's schema name and schema; nil when none is read.
    public let body: SchemaReference?
    /// Whether the body may be left out.
    public let isBodyOptional: Bool
    /// The success status and the answer's schema.
    public let status: HTTPResponse.Status
    public let answer: SchemaReference?
    /// What an `Idempotency-Key` means; nil when the method decides.
    let givenIdempotency: Idempotency?
    /// The answer holds the tokens of a session. Under an `Idempotency-Key` it is given again only while they work.
    public let isGrant: Bool
    /// Codes of errors that are its own, for the documentation.
    public let errors: [any ClientError]
    public let handler: Handler

    /// - Parameters:
    ///   - idempotency: what a key means. Left out, it is honoured if the method changes something, and has no meaning otherwise.
    ///   - isGrant: whether the answer holds the tokens of a session.
    public init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, access: Access = .user, rateLimit: RateLimit,
        query: [QueryParameter] = [], body: SchemaReference? = nil, isBodyOptional: Bool = false,
        status: HTTPResponse.Status = .ok, answer: SchemaReference? = nil, idempotency: Idempotency? = nil,
        isGrant: Bool = false, errors: [any ClientError] = [], handler: @escaping Handler
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
        self.givenIdempotency = idempotency
        self.isGrant = isGrant
        self.errors = errors
        self.handler = handler
    }
}

extension Route {
    /// What an `Idempotency-Key` means on a route.
    public enum Idempotency: Sendable {
        /// The request takes effect once, and its answer is given again.
        case honoured
        /// The answer cannot be kept, so a request with a key is refused.
        case refused
        /// The request changes nothing, or its answer is good only once, so that a repetition must be answered anew; a key is ignored.
        case meaningless
    }

    public var idempotency: Idempotency {
        givenIdempotency ?? ([.post, .put, .patch, .delete].contains(method) ? .honoured : .meaningless)
    }

    /// The same route below another path.
    public func mounted(below prefix: String) -> Route {
        Route(
            method, prefix + path, summary, access: access, rateLimit: rateLimit, query: query, body: body,
            isBodyOptional: isBodyOptional, status: status, answer: answer, idempotency: givenIdempotency,
            isGrant: isGrant, errors: errors, handler: handler)
    }
}

/// A named schema, as OpenAPI lists it under `components`.
public struct SchemaReference: Hashable, Sendable {
    public let name: String
    public let schema: Schema

    public init(_ name: String, _ schema: Schema) {
        self.name = name
        self.schema = schema
    }

    /// The schema that a type declares.
    public static func of(_ type: (some SchemaDescribed).Type) -> SchemaReference {
        SchemaReference(type.schemaName, type.schema)
    }

    /// A page of a type.
    public static func page(of type: (some SchemaDescribed).Type, and further: [Schema.Property] = []) -> SchemaReference {
        SchemaReference("\(type.schemaName)Page", .page(of: type.schema, and: further))
    }
}

/// What a request's body is read into.
public protocol RequestBody: SchemaDescribed, Sendable {
    /// Reads and validates; what is wrong is noted in the reader.
    init(from reader: inout ObjectReader)
}

/// A parameter of the query string.
public struct QueryParameter: Sendable {
    public enum Kind: Sendable {
        case integer(ClosedRange<Int>, default: Int)
        case choice([String], default: String?)
        /// A comma-separated list of some of these words.
        case words([String])
        case text(maximum: Int)
    }

    public let name: String
    public let kind: Kind
    public let help: String

    public static func integer(_ name: String, _ range: ClosedRange<Int>, default value: Int, _ help: String) -> QueryParameter {
        QueryParameter(name: name, kind: .integer(range, default: value), help: help)
    }

    public static func choice(_ name: String, _ words: [String], default value: String?, _ help: String) -> QueryParameter {
        QueryParameter(name: name, kind: .choice(words, default: value), help: help)
    }

    public static func words(_ name: String, _ words: [String], _ help: String) -> QueryParameter {
        QueryParameter(name: name, kind: .words(words), help: help)
    }

    public static func text(_ name: String, maximum: Int, _ help: String) -> QueryParameter {
        QueryParameter(name: name, kind: .text(maximum: maximum), help: help)
    }

    /// Length of a page.
    public static let limit = integer("limit", 1...100, default: 20, "How many items at most.")
    /// Where the page begins.
    public static let cursor = text("cursor", maximum: 256, "The next_cursor of the page before.")
}
