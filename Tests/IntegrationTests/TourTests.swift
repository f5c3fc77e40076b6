import Foundation
import SparkCore
import SparkTestSupport
import Testing

@Suite("The commands of the documentation")
struct TourTests {
    @Test("pasted into a shell, the README's commands lead from registration to a match")
    func readme() async throws {
        let output = try await run([DocumentationPages.commands(of: "README.md")])
        #expect(output.contains(#""latitude":35.6"#))
        #expect(output.contains(#""stage":"nearby""#), "\(output)")
        #expect(output.contains(#"{"match":null}"#))
        #expect(output.contains(#"{"match":{"id":"mat_"#))
    }

    @Test("pasted into a shell, every line of the tour works")
    func pasted() async throws {
        let output = try await run([DocumentationPages.commands(of: "docs/guide/tour.md")])
        #expect(output.contains(#""latitude":35.6"#))
        #expect(output.contains(#""stage":"nearby""#), "\(output)")
        #expect(output.contains(#"{"match":null}"#))
        #expect(output.contains(#"{"match":{"id":"mat_"#))
        #expect(output.contains(#"{"responses":[{"id":"me","status":200,"#))
        #expect(output.contains(#"{"id":"unread","status":200,"#))
        #expect(output.contains(#""openapi":"3.1.0""#))
        #expect(output.contains("The database is sound."))
        #expect(output.contains(#""body":"New message""#))
        #expect(output.contains("phone (log): accepted"))
    }

    @Test("pasted after the README's, the commands of every page work", arguments: DocumentationPages.withCommands)
    func pages(page: String) async throws {
        guard page != "docs/guide/tour.md" else { return }
        _ = try await run([DocumentationPages.commands(of: "README.md"), DocumentationPages.commands(of: page)])
    }

    @Test("there are pages with commands to run")
    func found() {
        #expect(DocumentationPages.withCommands.count > 8)
    }

    @Test("the pages name only verbs and options that exist")
    func names() async throws {
        for (program, atLeast) in [("spark", 50), ("spark-bench", 4)] {
            let help = try await SparkProcess.run(["--experimental-dump-help"], program: program)
            let root = try #require(try JSONParser.parse(Array(help.output.utf8))["command"])
            var count = 0
            for page in DocumentationPages.all {
                for words in try DocumentationPages.sparkCommands(of: page, program: program) {
                    count += 1
                    let problem = fault(of: words, in: root)
                    #expect(problem == nil, "\(page): \(program) \(words.joined(separator: " ")): \(problem ?? "")")
                }
            }
            #expect(count > atLeast, "\(program)")
        }
    }

    @Test("every link between the pages leads to a file", arguments: DocumentationPages.all)
    func links(page: String) throws {
        for part in try DocumentationPages.text(page).components(separatedBy: "](").dropFirst() {
            let link = String(part.prefix { $0 != ")" })
            guard !link.hasPrefix("http") else { continue }
            #expect(DocumentationPages.hasTarget(link, in: page), "\(link)")
        }
    }

    @Test("the README has at most 150 lines, none of them longer than 130 characters")
    func size() throws {
        let lines = try DocumentationPages.text("README.md").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 151)
        for line in lines { #expect(line.count <= 130, "\(line)") }
    }

    /// Runs scripts in one shell, beside a server with a small demo town.
    private func run(_ scripts: [String]) async throws -> String {
        var output = ""
        try await withDataDirectory { directory in
            #expect(try await SparkProcess.run(["seed", "--people", "3000", "--data", directory]).status == 0)
            let folder = directory + "-work"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try await withSpark(["--data", directory]) { spark in
                let script = scripts.joined(separator: "\n")
                    .replacing("URL=http://127.0.0.1:7775", with: "URL=\(spark.url)")
                    .replacing("$PWD/.build/release", with: SparkProcess.binary.deletingLastPathComponent().path)
                output = try await shell("set -eu\nexport SPARK_SERVER_DATA='\(directory)'\n\(script)", in: folder)
            }
        }
        return output
    }

    private func shell(_ script: String, in folder: String) async throws -> String {
        try await onOwnThread {
            let process = try ChildProcess("/bin/bash", ["-c", script], folder: folder)
            let text = String(decoding: process.output.readDataToEndOfFile(), as: UTF8.self)
            #expect(process.waitUntilExit() == 0, "\(text)")
            return text
        }
    }

    /// What is wrong with the words after `spark`; nil when the verb and its options exist.
    private func fault(of words: [String], in root: JSONValue) -> String? {
        var command = root
        var rest = words[...]
        while let word = rest.first, !word.hasPrefix("-"), word != "help" {
            let verbs = command["subcommands"]?.array ?? []
            guard !verbs.isEmpty else { break }
            let alternatives = word.split(separator: "|").map(String.init)
            let found = alternatives.compactMap { name in verbs.first { $0["commandName"]?.string == name } }
            guard let next = found.first, found.count == alternatives.count else { return "no verb \(word)" }
            command = next
            rest = rest.dropFirst()
        }
        let options = names(of: command) + names(of: root)
        // What follows -- is another program's.
        for word in rest.prefix(while: { $0 != "--" }) where word.hasPrefix("--") {
            let name = String(word.dropFirst(2).prefix { $0.isLetter || $0 == "-" })
            if !options.contains(name) { return "no option \(word)" }
        }
        return nil
    }

    private func names(of command: JSONValue) -> [String] {
        let arguments = command["arguments"]?.array ?? []
        let names = arguments.flatMap { $0["names"]?.array ?? [] }
        return names.compactMap { $0["name"]?.string }
    }
}
