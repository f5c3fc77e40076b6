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

    /// The pages under `docs` that have commands to run.
    static let withCommands: [String] = all.dropFirst().filter { page in (try? commands(of: page).isEmpty) == false }

    static func text(_ page: String) throws -> String {
        try String(contentsOf: root.appending(path: page), encoding: .utf8)
    }

    /// Whether a link in a page leads to a file or a folder.
    static func hasTarget(_ link: String, in page: String) -> Bool {
        let folder = root.appending(path: page).deletingLastPathComponent()
        let path = String(link.prefix { $0 != "#" })
        return path.isEmpty || FileManager.default.fileExists(atPath: folder.appending(path: path).standardized.path)
    }

    /// The blocks of shell commands that begin with `# runs`, in order, as one script.
    static func commands(of page: String) throws -> String {
        try blocks(of: page).filter { $0.language == "sh" && $0.lines.first == "# runs" }
            .map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
    }

    /// Every `spark …` in shell blocks and in code within the text: the words after `spark`, or the name of another program, up to
    /// the end of the command.
    static func sparkCommands(of page: String, program: String = "spark") throws -> [[String]] {
        var code = try blocks(of: page).filter { $0.language == "sh" }.flatMap { $0.lines.map(String.init) }
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

    private struct Block {
        let language: String
        var lines: [Substring] = []
    }

    private static func blocks(of page: String) throws -> [Block] {
        var blocks: [Block] = []
        var block: Block?
        for line in try text(page).split(separator: "\n", omittingEmptySubsequences: false) {
            if let open = block, line == "```" {
                blocks.append(open)
                block = nil
            } else if block != nil {
                block?.lines.append(line)
            } else if line.hasPrefix("```") {
                block = Block(language: String(line.dropFirst(3)))
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
