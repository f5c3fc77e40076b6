/// The tree of an expression.
indirect enum Expression: Hashable, Sendable {
    case number(Double)
    case selector(Selector)
    /// A selector over a time; milliseconds.
    case range(Selector, Int64)
    case negation(Expression)
    case call(Function, [Expression])
    case aggregation(Aggregation)
    case binary(Binary)

    enum Kind { case scalar, vector, range }

    var kind: Kind {
        switch self {
        case .number: .scalar
        case .selector, .aggregation: .vector
        case .range: .range
        case .negation(let operand): operand.kind
        case .call(let function, _): function.result
        case .binary(let binary): binary.left.kind == .scalar && binary.right.kind == .scalar ? .scalar : .vector
        }
    }

    var children: [Expression] {
        switch self {
        case .number, .selector, .range: []
        case .negation(let operand): [operand]
        case .call(_, let arguments): arguments
        case .aggregation(let aggregation): [aggregation.parameter, aggregation.operand].compactMap(\.self)
        case .binary(let binary): [binary.left, binary.right]
        }
    }

    /// Every selector in it.
    var selectors: [Selector] {
        switch self {
        case .selector(let selector), .range(let selector, _): [selector]
        default: children.flatMap(\.selectors)
        }
    }
}

/// Series by name and labels, seen from `offset` milliseconds ago.
struct Selector: Hashable, Sendable {
    let name: String
    let matchers: [LabelMatcher]
    var offset: Int64 = 0
}

/// Labels by which elements are grouped or matched: exactly these, or all but these.
struct LabelChoice: Hashable, Sendable {
    /// `by`, `on`; else `without`, `ignoring`.
    let isOnly: Bool
    let names: [String]

    static let allButName = LabelChoice(isOnly: false, names: [])

    /// The labels that count. The metric's name counts only where it is asked for.
    func apply(_ labels: [String: String]) -> [String: String] {
        if isOnly { return labels.filter { names.contains($0.key) } }
        return labels.filter { $0.key != nameLabel && !names.contains($0.key) }
    }
}

/// `sum by (layer) (…)`.
struct Aggregation: Hashable, Sendable {
    enum Operation: String, Sendable { case sum, avg, min, max, count, topk, bottomk }

    let operation: Operation
    /// The k of topk and bottomk.
    let parameter: Expression?
    let operand: Expression
    let grouping: LabelChoice
}

/// Two operands, and how their elements find each other.
struct Binary: Hashable, Sendable {
    enum Cardinality: Hashable, Sendable {
        case oneToOne
        /// `group_left`: many on the left; labels taken over from the right.
        case manyToOne([String])
        /// `group_right`.
        case oneToMany([String])
    }

    let operation: BinaryOperation
    let left: Expression
    let right: Expression
    let returnsBool: Bool
    let matching: LabelChoice
    let cardinality: Cardinality
}

/// The label that holds a metric's name.
let nameLabel = "__name__"
