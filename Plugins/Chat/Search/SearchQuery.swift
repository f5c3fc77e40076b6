import SparkCore

/// The words of a search. No character of the typed text has a special meaning.
struct SearchQuery: Hashable, Sendable {
    static let longest = 200
    private static let mostWords = 8

    /// A run of folded scalars of one kind.
    private struct Word: Hashable, Sendable {
        let values: [UInt32]
        let isSpaced: Bool
        /// The user may still be typing this word, so it matches as a prefix.
        let isOpen: Bool
        /// For each prefix of the word, the length of its longest proper prefix that is also its suffix (Knuth, Morris, Pratt).
        let borders: [Int]

        init(_ values: [UInt32], isSpaced: Bool, isOpen: Bool) {
            (self.values, self.isSpaced, self.isOpen) = (values, isSpaced, isOpen)
            var borders = [0]
            for value in values.dropFirst() {
                var length = borders.last ?? 0
                while length > 0, values[length] != value { length = borders[length - 1] }
                borders.append(values[length] == value ? length + 1 : 0)
            }
            self.borders = borders
        }
    }

    private let words: [Word]

    /// Nil if the text has neither a word nor a symbol.
    init?(_ text: String) {
        let folded = FoldedText(text)
        var runs: [(values: [UInt32], kind: FoldedText.Kind)] = []
        var last = FoldedText.Kind.separator
        for (value, kind) in zip(folded.values, folded.kinds) {
            if kind != .separator {
                if kind == last { runs[runs.count - 1].values.append(value) } else { runs.append(([value], kind)) }
            }
            last = kind
        }
        let shown = runs.prefix(Self.mostWords)
        guard !shown.isEmpty else { return nil }
        words = shown.enumerated().map { index, run in
            Word(run.values, isSpaced: run.kind == .spaced, isOpen: index == shown.count - 1)
        }
    }

    /// Whether a text contains all words. In scripts with spaces, words match whole, except for the last, which matches as a
    /// prefix; in other scripts they match anywhere. Linear in the length of the text.
    func matches(_ text: FoldedText) -> Bool {
        words.allSatisfy { $0.isSpaced ? Self.find(spaced: $0, in: text) : Self.find(anywhere: $0, in: text) }
    }

    /// Compares at the beginnings of words only.
    private static func find(spaced word: Word, in text: FoldedText) -> Bool {
        let length = word.values.count
        guard text.values.count >= length else { return false }
        return text.values.withUnsafeBufferPointer { values in
            text.kinds.withUnsafeBufferPointer { kinds in
                word.values.withUnsafeBufferPointer { sought in
                    let first = sought[0]
                    for start in 0...(values.count - length) {
                        guard values[start] == first, start == 0 || kinds[start - 1] != .spaced else { continue }
                        var offset = 1
                        while offset < length, values[start + offset] == sought[offset] { offset += 1 }
                        let end = start + length
                        if offset == length, word.isOpen || end == values.count || kinds[end] != .spaced { return true }
                    }
                    return false
                }
            }
        }
    }

    private static func find(anywhere word: Word, in text: FoldedText) -> Bool {
        var length = 0
        for value in text.values {
            while length > 0, word.values[length] != value { length = word.borders[length - 1] }
            if word.values[length] == value { length += 1 }
            if length == word.values.count { return true }
        }
        return false
    }
}
