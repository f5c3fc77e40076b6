/// Shortens texts: providers limit the whole payload, and only the text may be shortened.
enum FittedText {
    /// Renders a payload of at most `limit` bytes with as much of the text as fits. Shortens first the body, then the title, both
    /// between characters (extended grapheme clusters), so that no accent or half of a flag is lost.
    /// - Returns: nil when the payload does not fit even without text.
    static func fit(
        title: String, body: String, limit: Int, render: (_ title: String, _ body: String) -> [UInt8]
    ) -> [UInt8]? {
        let whole = render(title, body)
        guard whole.count > limit else { return whole }
        if let fitting = longest(body, limit: limit, { render(title, $0) }) { return fitting }
        return longest(title, limit: limit) { render($0, "") }
    }

    /// Binary search: about a dozen attempts for any readable text.
    private static func longest(_ text: String, limit: Int, _ render: (String) -> [UInt8]) -> [UInt8]? {
        // A character is at least one byte long.
        let characters = Array(text.prefix(limit))
        var best: [UInt8]?
        var (low, high) = (0, characters.count)
        while low <= high {
            let middle = low + (high - low) / 2
            let bytes = render(middle == 0 ? "" : String(characters[..<middle]) + "…")
            if bytes.count <= limit {
                best = bytes
                low = middle + 1
            } else {
                high = middle - 1
            }
        }
        return best
    }
}
