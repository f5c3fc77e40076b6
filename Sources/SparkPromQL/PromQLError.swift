public import SparkCore

/// Why an expression was refused, or could not be computed. Says where, never repeats the text.
public enum PromQLError: ClientError, Hashable {
    /// The text is no expression of the supported part of PromQL; the offset counts bytes.
    case syntax(String, offset: Int)
    /// An operand has the wrong type: a range where a vector is wanted, a name that is no function.
    case type(String)
    /// More text, nesting or samples than the evaluator takes.
    case bound(String)
    /// Vectors that cannot be matched to each other, or a result in which two elements have the same labels.
    case matching(String)

    public var code: String {
        switch self {
        case .syntax: "promql.syntax"
        case .type: "promql.type"
        case .bound: "promql.bound"
        case .matching: "promql.matching"
        }
    }

    public var status: Int { 422 }

    public var detail: String {
        switch self {
        case .syntax(let reason, _), .type(let reason), .bound(let reason), .matching(let reason): reason
        }
    }
}

extension PromQLError: CustomStringConvertible {
    public var description: String {
        if case .syntax(let reason, let offset) = self { return "\(reason) (at byte \(offset))" }
        return detail
    }
}

/// The bounds of an expression and of one evaluation.
enum PromQLBounds {
    static let textBytes = 16_384
    /// Levels of an expression; parser, evaluator and release of the tree go down as deep.
    static let depth = 100
    static let patternBytes = 1_024
    /// Samples that one evaluation may read.
    static let samples = 4_000_000
}
