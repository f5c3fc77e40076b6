import SparkFiles

/// Repeats values of an operator in messages: in one line and short, whatever the values contain.
enum GivenValue {
    private static let longest = 60
    /// The longest path that is repeated whole, in characters.
    private static let longestPath = 240

    /// The longest sentence that repeats a part of a value, in characters.
    private static let longestLine = 400

    /// The value in quotes.
    static func quoted(_ text: some StringProtocol) -> String {
        let text = withoutPassword(text)
        let isWhole = text.unicodeScalars.dropFirst(longest).isEmpty
        return "\"\(escaped(text.unicodeScalars.prefix(longest)))\(isWhole ? "\"" : "…\" (\(text.utf8.count) bytes)")"
    }

    /// The path of a file in quotes, from the root: a path of a setting begins in the working directory.
    static func file(_ path: String) -> String {
        let whole = NamedFile.absolute(path)
        // The end of a path says more than its beginning.
        return whole.unicodeScalars.count <= longestPath ? "\"\(escaped(whole.unicodeScalars))\"" : quoted(path)
    }

    /// A sentence that contains a part of a value.
    static func line(_ text: String) -> String {
        let text = text.split(separator: " ", omittingEmptySubsequences: false).map { withoutPassword($0) }.joined(separator: " ")
        let isWhole = text.unicodeScalars.dropFirst(longestLine).isEmpty
        return escaped(text.unicodeScalars.prefix(longestLine)) + (isWhole ? "" : "…")
    }

    /// Without what is before the host of an address: an operator may have written a name and a password there.
    private static func withoutPassword(_ text: some StringProtocol) -> String {
        guard let mark = text.firstRange(of: "://"), let at = text[mark.upperBound...].lastIndex(of: "@") else {
            return String(text)
        }
        return "\(text[..<mark.upperBound])***\(text[at...])"
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
