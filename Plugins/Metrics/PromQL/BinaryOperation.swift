/// The binary operators.
enum BinaryOperation: String, Sendable {
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case add = "+"
    case subtract = "-"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case and
    case unless
    case or

    /// A higher value binds tighter.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and, .unless: 2
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
        case .add, .subtract: 4
        case .multiply, .divide, .modulo: 5
        }
    }

    var isSet: Bool { self == .and || self == .or || self == .unless }
    var isComparison: Bool { precedence == 3 }

    /// The result; nil when a comparison is false.
    func apply(_ left: Double, _ right: Double) -> Double? {
        switch self {
        case .multiply: left * right
        case .divide: left / right
        case .modulo: left.truncatingRemainder(dividingBy: right)
        case .add: left + right
        case .subtract: left - right
        case .equal: left == right ? left : nil
        case .notEqual: left != right ? left : nil
        case .less: left < right ? left : nil
        case .lessOrEqual: left <= right ? left : nil
        case .greater: left > right ? left : nil
        case .greaterOrEqual: left >= right ? left : nil
        case .and, .or, .unless: nil
        }
    }
}
