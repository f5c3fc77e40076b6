import ArgumentParser
import Foundation
import Spark
import SparkBackup
import SparkServer

struct Upgrade: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade", abstract: "Try an upgrade on a copy of the data directory, beside a running server.",
        discussion: """
            Run the new program with --check before it takes over. It copies the data directory, upgrades the copy, checks it as \
            spark check --deep does, and reads on it what the apps of the most recently active people read when they start. The \
            program of the running server, or that of --old, answers the same on a second copy, and the answers are compared.
            The data directory is not changed, and the running server is not asked. Nothing is sent from the copies: no pushes, no \
            alerts, no backups. They are removed at the end, whatever it is. Exit code 0 when the copy is sound and the answers are \
            equal, 1 when not.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(name: .long, help: "Try the upgrade on a copy. An upgrade itself needs no verb: spark serve does it.")
    var check = false

    @Option(name: .long, help: "How many people to read as: the most recently active ones.")
    var people = 200

    @Option(name: .long, help: "The old program; by default that of the running server.")
    var old: String?

    @Option(name: .long, help: "Where the copies are made; by default beside the data directory. Needs four times the database.")
    var scratch: String?

    func validate() throws {
        guard check else {
            throw ValidationError("Name what to do: --check. An upgrade itself needs no verb: spark serve does it.")
        }
        guard (0...10_000).contains(people) else { throw ValidationError("--people: a number from 0 to 10000 is expected.") }
    }

    func run() async throws {
        let outcome = try await reportingBackups {
            do {
                let quiet = QuietSettings.changes(to: try common.load())
                let trial = UpgradeTrial(
                    configuration: try common.load(further: quiet), people: people, old: old.map { URL(filePath: $0).path },
                    runningProgram: Self.program(of: try common.portFile().content),
                    scratch: scratch.map { URL(filePath: $0, directoryHint: .isDirectory) },
                    settings: (common.configurationFile().map { ["--config", $0] } ?? [])
                        + (common.settings + quiet).flatMap { ["--set", $0] })
                return try await StopSignals.shared.cancelling { try await trial.run() }
            } catch let error as AnsweringServer.CannotAnswer {
                throw BackupError.unavailable("\(error)")
            }
        }
        if common.json { Terminal.say(json: outcome.json) } else { for line in outcome.lines { Terminal.say(line) } }
        if !outcome.isWell { throw ExitCodes.faultsFound }
    }

    /// The program of the process that wrote the port file.
    private static func program(of portFile: JSONValue?) -> String? { portFile?["pid"]?.integer.map { "/proc/\($0)/exe" } }
}
