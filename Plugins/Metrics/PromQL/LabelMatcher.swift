import Synchronization

/// A condition on a label: `code=~"5.."`. A missing label has the empty value.
struct LabelMatcher: Sendable {
    enum Operation: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case matchesNot = "!~"
    }

    let name: String
    let operation: Operation
    let value: String
    /// The compiled pattern; nil for the operations that compare.
    private let pattern: Pattern?

    /// Nil when the pattern is not a regular expression or is too long.
    init?(name: String, operation: Operation, value: String) {
        (self.name, self.operation, self.value) = (name, operation, value)
        switch operation {
        case .equal, .notEqual: pattern = nil
        case .matches, .matchesNot:
            guard value.utf8.count <= PromQLBounds.patternBytes, let compiled = Pattern(value) else { return nil }
            pattern = compiled
        }
    }

    /// The condition as a function, for many values. Patterns must match the whole value.
    func predicate() -> (String) -> Bool {
        switch operation {
        case .equal: { $0 == value }
        case .notEqual: { $0 != value }
        case .matches: { pattern?.matches($0) == true }
        case .matchesNot: { pattern?.matches($0) == false }
        }
    }

    /// A compiled regular expression. Rules are evaluated every few seconds, and compiling costs more than matching.
    private final class Pattern: Sendable {
        private let regex: Mutex<Regex<AnyRegexOutput>>

        init?(_ text: String) {
            guard let regex = try? Regex(text).matchingSemantics(.unicodeScalar) else { return nil }
            self.regex = Mutex(regex)
        }

        func matches(_ value: String) -> Bool { regex.withLock { (try? $0.wholeMatch(in: value)) != nil } }
    }
}

extension LabelMatcher: Hashable {
    static func == (left: LabelMatcher, right: LabelMatcher) -> Bool {
        left.name == right.name && left.operation == right.operation && left.value == right.value
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(operation)
        hasher.combine(value)
    }
}
