/// Repeats values of an operator in messages: in one line and short, whatever the values contain.
enum GivenValue {
    private static let longest = 60

    /// The longest sentence that repeats a part of a value, in characters.
    private static let longestLine = 400

    /// The value in quotes.
    static func quoted(_ text: some StringProtocol) -> String {
        let isWhole = text.unicodeScalars.dropFirst(longest).isEmpty
        return "\"\(escaped(text.unicodeScalars.prefix(longest)))\(isWhole ? "\"" : "…\" (\(text.utf8.count) bytes)")"
    }

    /// A sentence that contains a part of a value.
    static func line(_ text: String) -> String {
        let isWhole = text.unicodeScalars.dropFirst(longestLine).isEmpty
        return escaped(text.unicodeScalars.prefix(longestLine)) + (isWhole ? "" : "…")
    }

    private static func escaped(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var shown = ""
        for scalar in scalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// The beginning of a text that may be part of the name of a setting or variable.
    static func name(_ text: some StringProtocol) -> String {
        let name = text.unicodeScalars.prefix(longest).prefix {
            $0.properties.isAlphabetic || "0123456789_.-*<".unicodeScalars.contains($0)
        }
        return String(String.UnicodeScalarView(name))
    }
}
