import SparkCore

/// Words to look for, made from what somebody typed. Nothing of it reaches the index as syntax.
struct SearchQuery: Hashable, Sendable {
    static let longest = 200
    private static let mostWords = 8

    /// In the index's own language (SQLite FTS5, section 3, "Full-text Query Syntax").
    let expression: String

    /// Nil when there is no word in the text.
    /// - Parameter user: only conversations with this one are looked into.
    init?(_ text: String, of user: UserID) {
        let words = text.split { !($0.isLetter || $0.isNumber) }.prefix(Self.mostWords)
        guard let last = words.last else { return nil }
        // Letters and digits only: no quotation mark can stand in a word. The last one may not be typed to its end yet.
        let phrases = words.dropLast().map { "\"\($0)\"" } + ["\"\(last)\" *"]
        expression = "members : \"\(SearchRows.word(of: user))\" AND text : (\(phrases.joined(separator: " AND ")))"
    }
}
