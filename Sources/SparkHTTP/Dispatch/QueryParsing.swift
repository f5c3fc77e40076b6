import SparkCore
import SparkKit

extension QueryParameter {
    /// The validated value; nil when the parameter is absent and has no default.
    /// - Throws: `InvalidInput` for a text that the parameter does not allow.
    func value(of text: String?) throws(InvalidInput) -> QueryValue? {
        switch kind {
        case .integer(let range, let fallback):
            guard let text else { return .integer(fallback) }
            guard text.utf8.count <= 20, let number = Int(text) else {
                throw .refused(name, "type", "A whole number is expected.")
            }
            guard range.contains(number) else {
                throw .refused(name, "range", "The value must be \(range.lowerBound) to \(range.upperBound).")
            }
            return .integer(number)
        case .choice(let words, let fallback):
            guard let word = text ?? fallback else { return nil }
            guard words.contains(word) else {
                throw .refused(name, "format", "Expected one of: \(words.joined(separator: ", ")).")
            }
            return .text(word)
        case .words(let allowed):
            guard let text else { return nil }
            let words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard words.count <= allowed.count, words.allSatisfy(allowed.contains) else {
                throw .refused(name, "format", "Expected some of: \(allowed.joined(separator: ", ")).")
            }
            return .words(words)
        case .text(let maximum):
            guard let text else { return nil }
            guard text.utf8.count <= maximum else { throw .refused(name, "length", "The text is too long.") }
            return .text(text)
        }
    }

    /// The parameter's OpenAPI schema.
    var schema: Schema {
        switch kind {
        case .integer(let range, let fallback):
            guard case .object(let members) = Schema.integer(range).json else { return .integer(range) }
            return Schema(.object(members + [JSONMember("default", .integer(Int64(fallback)))]))
        case .choice(let words, _): return .oneOf(words)
        case .words(let words): return .list(.oneOf(words), count: 1...max(1, words.count))
        case .text(let maximum): return .string(0...maximum)
        }
    }
}
