/// A command on a page, as the shell gets it.
struct PageCommand: Sendable {
    let page: String
    /// Where it begins, counted from 1.
    let line: Int
    /// One line, or several that belong together.
    let text: String
    /// The words of each simple command in it.
    let parts: [[String]]

    /// Those of the blocks `sh`, and those after `$ ` in the blocks `console`, whose other lines are answers.
    static func all(of page: String) throws -> [PageCommand] {
        try DocumentationPages.blocks(of: page).flatMap { block in
            let lines = block.lines.enumerated().map { (number: block.firstLine + $0.offset, text: String($0.element)) }
            switch block.language {
            case "sh": return commands(page, lines)
            case "console":
                return commands(page, lines.filter { $0.text.hasPrefix("$ ") }.map { ($0.number, String($0.text.dropFirst(2))) })
            default: return []
            }
        }
    }

    private static func commands(_ page: String, _ lines: [(number: Int, text: String)]) -> [PageCommand] {
        var commands: [PageCommand] = []
        var gathered: [(number: Int, text: String)] = []
        for line in lines {
            gathered.append(line)
            let text = gathered.map(\.text).joined(separator: "\n")
            let shell = ShellText(text)
            guard !shell.isOpen || line.number == lines.last?.number else { continue }
            if !text.split(separator: "\n").allSatisfy({ $0.hasPrefix("#") }) {
                commands.append(PageCommand(page: page, line: gathered[0].number, text: text, parts: shell.parts))
            }
            gathered = []
        }
        return commands
    }

    /// Whether one of its simple commands begins with these words.
    func has(_ words: String) -> Bool {
        let words = words.split(separator: " ").map(String.init)
        return parts.contains { $0.starts(with: words) }
    }
}
