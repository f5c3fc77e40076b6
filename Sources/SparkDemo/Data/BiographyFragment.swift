/// A sentence about oneself, with at most one gap for an interest.
struct BiographyFragment: Sendable {
    /// Stands for an interest in the file.
    static let gap = "{interest}"

    private let head: String
    /// What follows the gap; nil when there is none.
    private let tail: String?

    /// Nil for more than one gap, for a gap at the start (interests are written in lower case) and for a stray brace.
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
