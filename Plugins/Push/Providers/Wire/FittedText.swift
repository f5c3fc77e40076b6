/// A text made to fit: providers limit the whole payload, and of that only the text may be shortened.
enum FittedText {
    /// The payload of at most `limit` bytes with as much of the text as fits; first the body gives way, then the title, both at the
    /// border of a character (extended grapheme cluster), so that no letter loses its accent and no flag its half.
    /// - Returns: nil when it does not fit even without text.
    static func fit(
        title: String, body: String, limit: Int, render: (_ title: String, _ body: String) -> [UInt8]
    ) -> [UInt8]? {
        let whole = render(title, body)
        guard whole.count > limit else { return whole }
        if let fitting = longest(body, limit: limit, { render(title, $0) }) { return fitting }
        return longest(title, limit: limit) { render($0, "") }
    }

    /// Searches by halves: a dozen tries for any text that a person would read.
    private static func longest(_ text: String, limit: Int, _ render: (String) -> [UInt8]) -> [UInt8]? {
        // No character is shorter than a byte.
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
