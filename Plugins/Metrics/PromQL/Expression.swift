/// The syntax tree of an expression.
indirect enum Expression: Hashable, Sendable {
    case number(Double)
    case selector(Selector)
    /// A range selector; its length is in milliseconds.
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

    /// Every selector in the tree.
    var selectors: [Selector] {
        switch self {
        case .selector(let selector), .range(let selector, _): [selector]
        default: children.flatMap(\.selectors)
        }
    }
}

/// Selects series by name and labels, as of `offset` milliseconds ago.
struct Selector: Hashable, Sendable {
    let name: String
    let matchers: [LabelMatcher]
    var offset: Int64 = 0
}

/// The labels for grouping or matching: only these, or all except these.
struct LabelChoice: Hashable, Sendable {
    /// True for `by` and `on`, false for `without` and `ignoring`.
    let isOnly: Bool
    let names: [String]

    static let allButName = LabelChoice(isOnly: false, names: [])

    /// The chosen labels. The metric's name is among them only if it is listed.
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

/// A binary operation and how the elements of its operands are matched.
struct Binary: Hashable, Sendable {
    enum Cardinality: Hashable, Sendable {
        case oneToOne
        /// `group_left`: many elements on the left; the listed labels are copied from the right.
        case manyToOne([String])
        /// `group_right`: the reverse.
        case oneToMany([String])
    }

    let operation: BinaryOperation
    let left: Expression
    let right: Expression
    let returnsBool: Bool
    let matching: LabelChoice
    let cardinality: Cardinality
}

/// The label that contains a metric's name.
let nameLabel = "__name__"
