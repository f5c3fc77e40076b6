/// A condition on a label: `code=~"5.."`. A missing label has the empty value.
struct LabelMatcher: Hashable, Sendable {
    enum Operation: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case matchesNot = "!~"
    }

    let name: String
    let operation: Operation
    let value: String

    /// Nil when the pattern is not a regular expression or is too long.
    init?(name: String, operation: Operation, value: String) {
        (self.name, self.operation, self.value) = (name, operation, value)
        switch operation {
        case .equal, .notEqual: break
        case .matches, .matchesNot:
            guard value.utf8.count <= PromQLBounds.patternBytes, (try? Regex(value)) != nil else { return nil }
        }
    }

    /// The condition as a function, for many values. Patterns must match the whole value.
    func predicate() -> (String) -> Bool {
        switch operation {
        case .equal: return { $0 == value }
        case .notEqual: return { $0 != value }
        case .matches, .matchesNot:
            // Regex is not Sendable, so the matcher stores the text and compiles it at each evaluation, which are seconds apart.
            guard let regex = try? Regex(value).matchingSemantics(.unicodeScalar) else { return { _ in false } }
            let wanted = operation == .matches
            return { (try? regex.wholeMatch(in: $0)) != nil ? wanted : !wanted }
        }
    }
}
