import Foundation
import SparkCore
import SparkTestSupport
import Testing

/// Every command in `docs/operating` is run, or has a reason why it cannot be.
@Suite("The operators' pages")
struct OperatingPagesTests {
    private static let commands: [PageCommand] = DocumentationPages.operating.flatMap { (try? PageCommand.all(of: $0)) ?? [] }

    @Test(
        "a shell runs every command of a page, in the page's order", .timeLimit(.minutes(20)),
        arguments: DocumentationPages.operating)
    func everyCommand(page: String) async throws {
        let commands = try PageCommand.all(of: page)
        guard commands.contains(where: { PageMachine.obstacle(to: $0) == nil }) else { return }
        try await PageMachine.run { machine in
            let (status, output) = try await machine.run(commands)
            #expect(status == 0, "\(output)")
            for line in output.split(separator: "\n") where line.contains(": skipped: ") { print(line) }
        }
    }

    @Test("a command that fails is noticed, wherever it is in a line")
    func failure() async throws {
        try await PageMachine.run { machine in
            for text in ["false", "false | cat", "cat < /nowhere", "A=$(false)", "false && true"] {
                let command = PageCommand(page: "page", line: 7, text: text, parts: ShellText(text).parts)
                let (status, output) = try await machine.run([command])
                #expect(status == 1 && output.contains("failed: page:7, exit codes"), "\(output)")
            }
        }
    }

    @Test("there are commands on the pages, and most of them are run")
    func count() {
        let run = Self.commands.filter { UnrunCommands.reason($0) == nil }
        #expect(run.count > 100 && run.count > Self.commands.count * 3 / 5, "\(run.count) of \(Self.commands.count)")
    }

    @Test("every exception is still on a page")
    func exceptions() {
        for (words, _) in UnrunCommands.reasons { #expect(Self.commands.contains { $0.has(words) }, "\(words)") }
        for program in UnrunCommands.outside { #expect(Self.commands.contains { $0.has(program) }, "\(program)") }
    }

    @Test("a program that is installed is found, and no other")
    func installed() {
        #expect(PageMachine.isInstalled("env") && !PageMachine.isInstalled("spark-does-not-exist"))
    }

    @Test("no block is in a language in which commands could hide")
    func languages() throws {
        for page in DocumentationPages.operating {
            for block in try DocumentationPages.blocks(of: page) {
                #expect(["sh", "console", "yaml", "json", "text", ""].contains(block.language), "\(page):\(block.firstLine)")
                guard block.language.isEmpty || block.language == "text" else { continue }
                let isHidden = block.lines.contains { $0.hasPrefix("$ ") || $0.hasPrefix("curl ") || $0.hasPrefix("sudo ") }
                #expect(!isHidden, "\(page):\(block.firstLine)")
            }
        }
    }

    @Test("the commands of a text are found, with their words")
    func words() {
        func parts(_ text: String) -> [[String]] { ShellText(text).parts }
        #expect(
            parts("A=1 B=$(mktemp -d) spark serve --data \"$A b\" # and 'this'") == [
                ["mktemp", "-d"], ["spark", "serve", "--data", "$A b"],
            ])
        #expect(parts("a 2>&1 | b || c && d; e &") == [["a", "2>&1"], ["b"], ["c"], ["d"], ["e"]])
        #expect(parts("cat > f <<'END'\nsystemctl stop\nEND\nls") == [["cat", ">", "f", "<<END"], ["ls"]])
        #expect(parts("sudo -u spark spark serve; sudo apt install x") == [["spark", "serve"], ["apt", "install", "x"]])
        #expect(parts("if test 1; then ls; fi") == [["test", "1"], ["ls"], ["fi"]])
        for open in ["a |", "a &&", "a \\", "a 'b", "cat <<END\nx"] { #expect(ShellText(open).isOpen, "\(open)") }
        for closed in ["a", "a &", "a | b", "echo 'a |'", "a # |", "cat <<END\nx\nEND"] {
            #expect(!ShellText(closed).isOpen, "\(closed)")
        }
    }

    @Test("every link to a section leads to a heading", arguments: DocumentationPages.operating)
    func anchors(page: String) throws {
        for part in try DocumentationPages.text(page).components(separatedBy: "](").dropFirst() {
            let link = part.prefix { $0 != ")" }.split(separator: "#", omittingEmptySubsequences: false)
            guard link.count == 2, !link[0].hasPrefix("http") else { continue }
            let target = link[0].isEmpty ? page : try #require(DocumentationPages.page(String(link[0]), from: page))
            #expect(try DocumentationPages.anchors(of: target).contains(String(link[1])), "\(page): \(link[0])#\(link[1])")
        }
    }

    @Test("the pages name only metrics that exist")
    func metrics() async throws {
        let dashboard = try await SparkProcess.run(["export", "grafana-dashboard"])
        #expect(dashboard.status == 0, "\(dashboard.errors)")
        var count = 0
        for page in DocumentationPages.operating {
            // Commands name some by their beginning.
            for match in try DocumentationPages.text(page).matches(of: /\bspark_[a-z_]+/) where match.output != "spark_data" {
                let metric = match.output.hasSuffix("_sum") ? match.output.dropLast(4) : match.output
                count += 1
                #expect(dashboard.output.contains(metric), "\(page): \(metric)")
            }
        }
        #expect(count > 100)
    }
}
