import Foundation

/// The Markdown pages of the repository, and the commands in them.
enum DocumentationPages {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The README and every page under `docs`, as paths from the root of the repository.
    static let all: [String] = {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: root.appending(path: "docs").path)) ?? []
        return ["README.md", "CONTRIBUTING.md"] + names.filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }.sorted()
    }()

    /// The operators' pages, of which every command is run.
    static let operating: [String] = all.filter { $0.hasPrefix("docs/operating/") }

    /// The other pages under `docs` that have commands to run.
    static let withCommands: [String] = all.dropFirst().filter { page in
        !operating.contains(page) && (try? commands(of: page).isEmpty) == false
    }

    static func text(_ page: String) throws -> String {
        try String(contentsOf: root.appending(path: page), encoding: .utf8)
    }

    /// Whether a link in a page leads to a file or a folder.
    static func hasTarget(_ link: String, in page: String) -> Bool {
        let folder = root.appending(path: page).deletingLastPathComponent()
        let path = String(link.prefix { $0 != "#" })
        return path.isEmpty || FileManager.default.fileExists(atPath: folder.appending(path: path).standardized.path)
    }

    /// The page to which a link of another page leads; nil if it leads to none.
    static func page(_ link: String, from page: String) -> String? {
        let path = root.appending(path: page).deletingLastPathComponent().appending(path: link).standardized.path
        return all.first { root.appending(path: $0).standardized.path == path }
    }

    /// What links may have after `#`: the headings, as GitHub writes them.
    static func anchors(of page: String) throws -> Set<String> {
        let headings = try prose(of: page).filter { $0.hasPrefix("#") }
        return Set(
            headings.map { heading in
                let words = heading.drop { $0 == "#" }.dropFirst().lowercased()
                return String(words.filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }.map { $0 == " " ? "-" : $0 })
            })
    }

    /// The blocks of shell commands that begin with `# runs`, in order, as one script.
    static func commands(of page: String) throws -> String {
        try blocks(of: page).filter { $0.language == "sh" && $0.lines.first == "# runs" }
            .map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
    }

    /// Every `spark …` in shell blocks and in code within the text: the words after `spark`, or the name of another program, up to
    /// the end of the command.
    static func sparkCommands(of page: String, program: String = "spark") throws -> [[String]] {
        var code = try blocks(of: page).flatMap { block -> [String] in
            switch block.language {
            case "sh": block.lines.map(String.init)
            case "console": block.lines.filter { $0.hasPrefix("$ ") }.map(String.init)
            default: []
            }
        }
        for line in try prose(of: page) {
            let parts = line.components(separatedBy: "`")
            code += parts.indices.filter { $0 % 2 == 1 }.map { parts[$0] }
        }
        return code.flatMap { commands(in: $0, program) }
    }

    private static func commands(in line: String, _ program: String) -> [[String]] {
        let words = line.split { " ()".contains($0) }.map(String.init)
        let starts = words.indices.filter { words[$0] == program }
        return starts.map { start in
            let rest = words[(start + 1)...]
            return Array(rest.prefix { !["|", "||", "&&", "&", ";", ">", "#", "·", "spark"].contains($0) })
        }
    }

    /// What is between two fences.
    struct Block {
        let language: String
        /// The number of its first line on the page, from 1.
        let firstLine: Int
        var lines: [Substring] = []
    }

    static func blocks(of page: String) throws -> [Block] {
        var blocks: [Block] = []
        var block: Block?
        for (index, line) in try text(page).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let open = block, line == "```" {
                blocks.append(open)
                block = nil
            } else if block != nil {
                block?.lines.append(line)
            } else if line.hasPrefix("```") {
                block = Block(language: String(line.dropFirst(3)), firstLine: index + 2)
            }
        }
        return blocks
    }

    /// The lines outside blocks.
    private static func prose(of page: String) throws -> [String] {
        var isInBlock = false
        return try text(page).split(separator: "\n").compactMap { line in
            if line.hasPrefix("```") {
                isInBlock.toggle()
                return nil
            }
            return isInBlock ? nil : String(line)
        }
    }
}
