import ArgumentParser
import CSparkSystem
import Foundation
import Spark
import SparkCore

/// The entry point of the process.
@main
enum Program {
    /// The verbs that make temporary directories or files, which a signal must not leave behind.
    private static let temporaryVerbs: Set<String> = [
        "serve", "modules", "openapi", "audit", "backup", "restore", "drill", "upgrade",
    ]

    static func main() async {
        // Before everything else: the parent may end and a signal may come at any time.
        ParentWatch.note()
        // The index of the people grows by doubling; the outgrown tables would stay with the process.
        spark_heap_release_early()
        // No coordinate is transformed, and each connection of SpatiaLite would open PROJ's database of reference systems: 0.7 MB
        // and milliseconds. It opens none where this names no folder.
        for name in ["PROJ_DATA", "PROJ_LIB"] { setenv(name, "/dev/null", 0) }
        // Threads that begin later inherit it.
        switch CommandLine.arguments.dropFirst().first {
        case "backup": spark_thread_priority(10)
        case "drill": Self.giveWay()
        default: break
        }
        // The process has one thread yet, so that the environment may change.
        if CommandLine.arguments.dropFirst().first == "serve" { _ = Serve.sockets }
        if CommandLine.arguments.dropFirst().first.map(temporaryVerbs.contains) == true { StopSignals.shared.begin() }
        let arguments = CommandWords.joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst()))
        if let fault = CommandWords.fault(of: arguments, in: SparkCommand.self) {
            Terminal.fail(fault)
            exit(ExitCodes.usage.rawValue)
        }
        await SparkCommand.main(arguments)
    }

    /// Leaves the processor and the disk to all others, and is ended before all others when memory runs out. The kernel derives the
    /// priority at the disk from the other one (ioprio_set(2)). Best effort.
    private static func giveWay() {
        spark_thread_priority(19)
        try? "1000".write(toFile: "/proc/self/oom_score_adj", atomically: false, encoding: .utf8)
    }
}

/// Checks and rewrites the command line before the parser reads it.
enum CommandWords {
    /// Joins `--people -5` to `--people=-5`: the parser would read the number as an option and miss the value.
    static func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
        var joined: [String] = []
        for argument in arguments {
            if let last = joined.last, last.hasPrefix("--"), last.count > 2, !last.contains("="), isNegativeNumber(argument) {
                joined[joined.count - 1] = "\(last)=\(argument)"
            } else {
                joined.append(argument)
            }
        }
        return joined
    }

    private static func isNegativeNumber(_ text: String) -> Bool {
        guard text.hasPrefix("-"), text.count > 1 else { return false }
        return text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    }

    /// The message about an unknown verb, with the nearest verb or all verbs; nil when the verbs are correct.
    static func fault(of arguments: [String], in root: any ParsableCommand.Type) -> String? {
        var command = root
        var path = name(of: root)
        for word in arguments {
            let verbs = command.configuration.subcommands
            // The parser handles options and a verb's arguments.
            guard !verbs.isEmpty, !word.hasPrefix("-") else { return nil }
            // The subject of `help` must exist as well.
            if word == "help" {
                guard command == root else { return nil }
                continue
            }
            guard let next = verbs.first(where: { name(of: $0) == word || $0.configuration.aliases.contains(word) }) else {
                let names = verbs.map { name(of: $0) }
                guard let nearest = nearest(word, names) else {
                    return "\(path) has no verb \(word); its verbs are \(names.joined(separator: ", "))"
                }
                return "\(path) has no verb \(word); did you mean \(nearest)? `\(path) --help` lists all"
            }
            command = next
            path += " \(word)"
        }
        return nil
    }

    /// The nearest verb. A word with the same letters in another order counts as near.
    private static func nearest(_ word: String, _ names: [String]) -> String? {
        NearestName.of(word, in: names) ?? names.first { $0.sorted() == word.sorted() }
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? command._commandName
    }
}

/// `spark`: one verb per file.
struct SparkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spark",
        abstract: "A dating backend in one binary.",
        version: "spark \(SparkVersion.text)",
        subcommands: [
            Serve.self, Seed.self, Exec.self, Backup.self, Restore.self, DrillCommand.self, BackupKey.self, Upgrade.self,
            Modules.self,
            Config.self, Check.self, Token.self, Why.self, Push.self, User.self, Report.self, Held.self, OperatorLog.self,
            Audit.self, OpenAPI.self, Export.self,
            Health.self, Top.self, Limits.self, DoctorCommand.self, Support.self, Version.self,
        ])
}
