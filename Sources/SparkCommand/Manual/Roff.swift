/// Text in the language of manual pages (man(7)).
struct Roff {
    private(set) var text: String

    /// - Parameters:
    ///   - name: of the page, e.g. `spark-serve`.
    ///   - section: 1 for commands, 5 for files.
    init(name: String, section: Int, version: String) {
        // Without a date: the pages of one version are always the same.
        self.text = ".TH \(Self.argument(name.uppercased())) \(section) \"\" \(Self.argument("Spark \(version)")) \"Spark\"\n"
        // Words are not broken, so that they can be searched and copied, and lines are not stretched.
        text += ".nh\n.ad l\n"
    }

    mutating func section(_ title: String) { text += ".SH \(Self.argument(title))\n" }

    mutating func subsection(_ title: String) { text += ".SS \(Self.argument(title))\n" }

    mutating func paragraph() { text += ".PP\n" }

    /// Lines of text; empty ones separate paragraphs.
    mutating func say(_ words: String) {
        for line in words.split(separator: "\n", omittingEmptySubsequences: false) {
            let line = line.drop { $0 == " " }
            text += line.isEmpty ? ".PP\n" : "\(Self.escaped(String(line)))\n"
        }
    }

    /// A term, in bold, and what it means.
    mutating func entry(_ term: String, _ meaning: String) {
        text += ".TP\n.B \(Self.escaped(term))\n"
        say(meaning.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: "\n"))
    }

    /// A command as it is typed: its name in bold, then what follows it.
    mutating func synopsis(_ name: String, _ rest: String) {
        text += ".HP\n\\fB\(Self.escaped(name))\\fR \(Self.escaped(rest))\n"
    }

    /// The name of the page and what it is about; programs that list pages read this line.
    mutating func name(_ name: String, _ summary: String) {
        section("NAME")
        text += "\(Self.escaped(name)) \\- \(Self.escaped(summary))\n"
    }

    /// No character has a meaning of its own any more, and a hyphen stays one when it is copied.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "\\": out += "\\e"
            case "-": out += "\\-"
            case "'": out += "\\(aq"
            // At the beginning of a line it would begin a request.
            case "." where out.isEmpty: out += "\\&."
            case "`": out += "\\(ga"
            case "^": out += "\\(ha"
            case "~": out += "\\(ti"
            default: out.append(character)
            }
        }
        return out
    }

    private static func argument(_ text: String) -> String { "\"\(escaped(text).replacing("\"", with: "\\(dq"))\"" }
}
