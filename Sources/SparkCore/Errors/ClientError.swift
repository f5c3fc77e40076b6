/// An error that a client caused or can act on. The server turns it into problem+json (RFC 9457) or a close code. Any other
/// error becomes a 500 without details.
public protocol ClientError: Error {
    /// Stable and machine-readable: `module.reason`.
    var code: String { get }
    /// The HTTP status, 400…599.
    var status: Int { get }
    /// Constant text for people. Never contains user input.
    var detail: String { get }
    /// True if the same request may succeed later without changes.
    var isTemporary: Bool { get }
    /// How long the client should wait; becomes `Retry-After`.
    var retryAfter: Duration? { get }
    /// The refused parts of the input.
    var violations: [Violation] { get }
}

extension ClientError {
    /// False by default.
    public var isTemporary: Bool { false }
    /// Nil by default.
    public var retryAfter: Duration? { nil }
    /// Empty by default.
    public var violations: [Violation] { [] }
}

/// One refused part of an input. It says where and why, and never repeats the value. An unknown member appears under its own
/// name.
public struct Violation: Hashable, JSONObject {
    /// A JSON pointer (RFC 6901) such as `/location/latitude`, or the name of a parameter.
    public let field: String
    /// A stable word: `missing`, `type`, `range`, `length`, `format`, `unknown`, `duplicate`.
    public let reason: String
    /// Constant text for people.
    public let detail: String

    /// Creates a violation.
    public init(field: String, reason: String, detail: String) {
        self.field = field
        self.reason = reason
        self.detail = detail
    }

    /// The fields that the client sees.
    public static let fields = Fields<Violation>("Violation", "One refused part of an input.") {
        Field("field", \.field, .string.example("/location/latitude"), "A JSON pointer, or the name of a parameter.")
        Field("reason", \.reason, .string.example("range"), "A stable word.")
        Field("detail", \.detail, .string.example("The value must be -90 to 90."), "For people.")
    }
}

/// Invalid input: 400 if it cannot be parsed, 422 if a value is refused.
public struct InvalidInput: ClientError {
    /// `request.malformed` or `request.invalid`.
    public let code: String
    /// 400 or 422.
    public let status: Int
    /// One sentence for people.
    public let detail: String
    /// The refused values; empty if the input cannot be parsed.
    public let violations: [Violation]

    /// The text cannot be parsed: JSON syntax, nesting or size.
    public static func malformed(_ detail: String) -> InvalidInput {
        InvalidInput(code: "request.malformed", status: 400, detail: detail, violations: [])
    }

    /// Some values were refused.
    public static func refused(_ violations: [Violation]) -> InvalidInput {
        InvalidInput(
            code: "request.invalid", status: 422, detail: "Some values were refused; see errors.", violations: violations)
    }

    /// One value was refused.
    public static func refused(_ field: String, _ reason: String, _ detail: String) -> InvalidInput {
        refused([Violation(field: field, reason: reason, detail: detail)])
    }
}
