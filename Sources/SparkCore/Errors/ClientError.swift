/// An error that a client caused or can act on. One place turns it into problem+json (RFC 9457) or a close code;
/// any other error becomes an anonymous 500.
public protocol ClientError: Error {
    /// Stable, machine-readable, `module.reason`.
    var code: String { get }
    /// The HTTP status, 400…599.
    var status: Int { get }
    /// Constant text for people. Never user input.
    var detail: String { get }
    /// Whether the same request may succeed later without being changed.
    var isTemporary: Bool { get }
    /// When to try again; becomes `Retry-After`.
    var retryAfter: Duration? { get }
    /// The parts of the input that were refused.
    var violations: [Violation] { get }
}

extension ClientError {
    public var isTemporary: Bool { false }
    public var retryAfter: Duration? { nil }
    public var violations: [Violation] { [] }
}

/// One refused part of an input. Names where and why; never repeats the value. A member that nobody knows is named by its own name.
public struct Violation: Hashable, Sendable {
    /// A JSON pointer (RFC 6901) such as `/location/latitude`, or the name of a parameter.
    public let field: String
    /// Stable word: `missing`, `type`, `range`, `length`, `format`, `unknown`, `duplicate`.
    public let reason: String
    /// Constant text for people.
    public let detail: String

    public init(field: String, reason: String, detail: String) {
        self.field = field
        self.reason = reason
        self.detail = detail
    }
}

/// Input that does not have the promised form: 400 when it cannot be read at all, 422 when a value is refused.
public struct InvalidInput: ClientError {
    public let code: String
    public let status: Int
    public let detail: String
    public let violations: [Violation]

    /// The text is not what its type promises (JSON syntax, nesting, size).
    public static func malformed(_ detail: String) -> InvalidInput {
        InvalidInput(code: "request.malformed", status: 400, detail: detail, violations: [])
    }

    /// Single values were refused.
    public static func refused(_ violations: [Violation]) -> InvalidInput {
        InvalidInput(
            code: "request.invalid", status: 422, detail: "Some values were refused; see errors.", violations: violations)
    }

    public static func refused(_ field: String, _ reason: String, _ detail: String) -> InvalidInput {
        refused([Violation(field: field, reason: reason, detail: detail)])
    }
}
