/// Durations in Prometheus's notation: `90s`, `1h30m`.
package enum PromDuration {
    /// Nil for other texts. `0` needs no unit.
    package static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        guard let tokens = try? Lexer.tokens(of: text), tokens.count == 2, case .duration(let milliseconds)? = tokens.first?.kind,
            tokens.last?.offset == text.utf8.count, tokens.first?.offset == 0
        else { return nil }
        return .milliseconds(milliseconds)
    }

    /// The shortest exact text, to the millisecond. Negative durations count as zero.
    package static func text(of duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var rest = max(0, seconds)
        let milliseconds = seconds < 0 ? 0 : attoseconds / 1_000_000_000_000_000
        var text = ""
        for (name, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] as [(String, Int64)] where rest >= size {
            text += "\(rest / size)\(name)"
            rest %= size
        }
        if milliseconds > 0 { text += "\(milliseconds)ms" }
        return text.isEmpty ? "0s" : text
    }
}
