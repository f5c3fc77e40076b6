/// A sentence of a profile text, with at most one placeholder for an interest.
struct BiographyFragment: Sendable {
    /// The placeholder for an interest in the file.
    static let gap = "{interest}"

    private let head: String
    /// The text after the placeholder; nil when there is none.
    private let tail: String?

    /// Nil for more than one placeholder, one at the start (interests are lower case) and a stray brace.
    init?(line: Substring) {
        let pieces = line.split(separator: Self.gap, omittingEmptySubsequences: false)
        guard let head = pieces.first, !head.isEmpty, pieces.count <= 2,
            !pieces.contains(where: { $0.contains { $0 == "{" || $0 == "}" } })
        else { return nil }
        self.head = String(head)
        self.tail = pieces.count == 2 ? pieces.last.map(String.init) : nil
    }

    func append(to text: inout String, interest: String) {
        text += head
        guard let tail else { return }
        text += interest
        text += tail
    }
}
