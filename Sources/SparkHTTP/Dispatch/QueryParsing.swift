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
        case .choice(let list, let fallback):
            guard let word = text ?? fallback else { return nil }
            guard list.words.contains(word) else {
                throw .refused(name, "format", "Expected one of: \(list.words.joined(separator: ", ")).")
            }
            return .text(word)
        case .words(let list):
            guard let text else { return nil }
            let allowed = list.words
            let words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard words.count <= allowed.count, words.allSatisfy(allowed.contains) else {
                throw .refused(name, "format", "Expected some of: \(allowed.joined(separator: ", ")).")
            }
            return .words(words)
        case .text(let maximum):
            guard let text else { return nil }
            guard text.unicodeScalars.count <= maximum else {
                throw .refused(name, "length", "The text must have at most \(maximum) characters.")
            }
            guard !text.unicodeScalars.contains(where: { $0.value == 0 }) else {
                throw .refused(name, "format", "The character U+0000 is not allowed.")
            }
            return .text(text)
        }
    }

    /// The parameter's OpenAPI schema.
    var schema: Schema {
        switch kind {
        case .integer(let range, let fallback):
            guard case .object(let members) = Schema.integer(range).json else { return .integer(range) }
            return Schema(.object(members + [JSONMember("default", .integer(Int64(fallback)))]))
        case .choice(let list, _): return list.schema
        case .words(let list): return .list(list.schema, count: 1...max(1, list.words.count))
        case .text(let maximum): return .string(0...maximum)
        }
    }
}
