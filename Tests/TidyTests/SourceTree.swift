import Foundation

/// A source file of the project.
struct SourceFile: Sendable {
    /// Relative to the project's folder, e.g. `Plugins/Chat/ChatModule.swift`.
    let path: String
    let text: String

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The plugin that the file belongs to; nil for others.
    var plugin: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Plugins" ? String(parts[1]) : nil
    }

    /// The modules that it imports.
    var imports: Set<String> {
        Set(
            lines.compactMap { line in
                let words = line.split(separator: " ").map(String.init)
                guard let index = words.firstIndex(of: "import"), index < 3, index + 1 < words.count else { return nil }
                return line.hasPrefix(" ") ? nil : words[index + 1]
            })
    }

    /// The numbers of the lines that match a pattern, without comment lines.
    func lines(with pattern: Regex<Substring>) -> [Int] {
        lines.enumerated().compactMap { index, line in
            let code = line.drop { $0 == " " }
            guard !code.hasPrefix("//"), line.firstMatch(of: pattern) != nil else { return nil }
            return index + 1
        }
    }
}

/// The project's files.
enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The Swift files of the product.
    static let product: [SourceFile] = files(in: ["Sources", "Plugins"])
    static let tests: [SourceFile] = files(in: ["Tests"])
    /// The product's files in C.
    static let foreign: [SourceFile] = files(in: ["Sources"], [".c", ".h"])
    /// The product's files, taken apart once for all rules.
    static let texts: [(file: SourceFile, text: SwiftText)] = product.map { ($0, SwiftText($0.text)) }

    static func files(in folders: [String], _ endings: [String] = [".swift"]) -> [SourceFile] {
        folders.flatMap { folder -> [SourceFile] in
            let base = root.appending(path: folder)
            guard let paths = FileManager.default.enumerator(atPath: base.path) else { return [] }
            return paths.compactMap { $0 as? String }.filter { path in endings.contains { path.hasSuffix($0) } }.sorted()
                .compactMap {
                    path in
                    (try? String(contentsOf: base.appending(path: path), encoding: .utf8)).map {
                        SourceFile(path: "\(folder)/\(path)", text: $0)
                    }
                }
        }
    }
}
