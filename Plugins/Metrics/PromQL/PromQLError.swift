import SparkCore

/// Why an expression was refused or could not be evaluated. Gives the position but never repeats the text.
package enum PromQLError: ClientError, Hashable {
    /// The text is not an expression of the supported part of PromQL. The offset is in bytes.
    case syntax(String, offset: Int)
    /// An operand has the wrong type, such as a range instead of a vector, or a function is unknown.
    case type(String)
    /// The expression exceeds a limit on text, nesting or samples.
    case bound(String)
    /// Vectors cannot be matched, or two elements of a result have the same labels.
    case matching(String)

    /// The stable error code.
    package var code: String {
        switch self {
        case .syntax: "promql.syntax"
        case .type: "promql.type"
        case .bound: "promql.bound"
        case .matching: "promql.matching"
        }
    }

    /// Always 422.
    package var status: Int { 422 }

    /// The reason in one sentence.
    package var detail: String {
        switch self {
        case .syntax(let reason, _), .type(let reason), .bound(let reason), .matching(let reason): reason
        }
    }
}

extension PromQLError: CustomStringConvertible {
    /// The reason; for a syntax error with the byte offset.
    package var description: String {
        if case .syntax(let reason, let offset) = self { return "\(reason) (at byte \(offset))" }
        return detail
    }
}

/// The limits of an expression and of one evaluation.
enum PromQLBounds {
    static let textBytes = 16_384
    /// Nesting levels. Parsing, evaluation and deallocation recurse to this depth.
    static let depth = 100
    static let patternBytes = 1_024
    /// Samples that one evaluation may read.
    static let samples = 4_000_000
}
