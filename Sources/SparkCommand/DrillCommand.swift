import ArgumentParser
import Foundation
import Logging
import Spark
import SparkBackup
import SparkServer

struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Restore the newest complete backup into a scratch folder, check it, and remove it again.",
        discussion: """
            FROM is what spark backup had as TO. Everything is done that spark restore does, and what spark check --deep checks is \
            checked as well, with the lowest priority. The scratch folder is in the data directory, or where --scratch says; it is \
            removed in any case, and what a killed drill left is removed by the next one. The disk keeps its last five percent. \
            A server with backup.to runs a drill every night; what a drill of that place finds is noted in the data directory, \
            and ends the server's alerts. Exit code 65 when the backup cannot be restored, 73 or 69 when the drill could not run.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "Where the backups are; by default backup.to.")
    var from: String?

    @Option(
        name: .customLong("identity"),
        help: "A file with a private key of age, instead of backup.drill_identity_file. May be repeated.")
    var identities: [String] = []

    @Option(
        name: .long,
        help:
            "The folder in which the scratch folder is made; by default the data directory, without one the temporary directory.")
    var scratch: String?

    @Flag(
        name: .long,
        help: "Take what is not encrypted, too, although there is a key: for a place where encryption was turned on later.")
    var allowUnencrypted = false

    @Flag(name: .long, help: "Stop when the parent process ends.")
    var exitWithParent = false

    func run() async throws {
        if exitWithParent { ParentWatch.start { StopSignals.shared.request() } }
        try await reportingBackups {
            // A server that had no file runs its drills without one.
            let configuration = try common.load(mayUsePackage: !exitWithParent)
            let settings: BackupConfiguration = configuration.section("backup")
            guard let place = from ?? (settings.isOn ? settings.place : nil) else {
                throw BackupError.refused("name the place of the backups, as in spark drill /mnt/backups, or set backup.to")
            }
            try BackupStores.check(place)
            let run = try drill(place, settings, configuration)
            do {
                let result = try await StopSignals.shared.cancelling { try await run.run() }
                report(result, place)
            } catch let error where !(error is CancellationError) {
                if common.json { Terminal.say(json: Self.json(error, place)) }
                throw error
            }
        }
    }

    private func drill(
        _ place: String, _ settings: BackupConfiguration, _ configuration: LoadedConfiguration
    ) throws -> DrillRun {
        let process: ServerConfiguration = configuration.section("server")
        let directory = URL(filePath: process.dataDirectory, directoryHint: .isDirectory).absoluteURL
        let hasData = FileManager.default.fileExists(atPath: directory.appending(path: "spark.db").path)
        if hasData { try DataAccess.check(process.dataDirectory) }
        let own =
            hasData
            ? directory.appending(path: BackupScratch.name, directoryHint: .isDirectory) : FileManager.default.temporaryDirectory
        let keys = identities.isEmpty && !settings.drillIdentityFile.isEmpty ? [settings.drillIdentityFile] : identities
        var run = DrillRun(
            of: place, bucket: settings.bucket, identities: keys.map { URL(filePath: $0) },
            folder: scratch.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? own,
            notedIn: hasData && settings.isOn && BackupStores.isSame(place, settings.place) ? directory : nil,
            data: RestoredData(
                modules: sparkModules, configuration: configuration, logger: CommandLogger.make(configuration, atLeast: .error)))
        run.requiresEncryption = allowUnencrypted ? false : settings.recipients.isEmpty ? nil : true
        let bar = LazyProgressBar()
        run.progress = { bar.show("pages", $0.pages, of: $0.of) }
        return run
    }

    private func report(_ result: DrillRun.Result, _ place: String) {
        let manifest = result.manifest
        let rows = manifest.rows.values.reduce(0, +)
        guard !common.json else {
            return Terminal.say(
                json: [
                    "result": "good", "backup": .string(manifest.name), "from": .string(place),
                    "taken_at": .string("\(manifest.takenAt)"), "database_bytes": .integer(manifest.databaseBytes),
                    "tables": .integer(Int64(manifest.rows.count)), "rows": .integer(rows),
                    "people": manifest.people.map { .integer($0) } ?? .null,
                    "messages": manifest.messages.map { .integer($0) } ?? .null,
                    "erased_again": .integer(Int64(result.outcome.erased)), "seconds": .number(result.duration.inSeconds),
                    "notes": .array(result.outcome.notes.map { .string($0) }),
                ] as JSONValue)
        }
        for note in result.outcome.notes { Terminal.note(note) }
        Terminal.say(
            "Backup \(manifest.name) in \(Display.text(place)) was restored, checked and removed again: "
                + "\(ByteText.of(manifest.databaseBytes)), \(Terminal.count(manifest.rows.count, "table")) with "
                + "\(Terminal.count(Int(clamping: rows), "row")), in \(String(format: "%.1f", result.duration.inSeconds)) s.")
    }

    private static func json(_ error: any Error, _ place: String) -> JSONValue {
        let skipped = error as? DrillSkipped
        return [
            "result": .string(skipped == nil ? "failed" : "skipped"), "from": .string(place),
            "reason": skipped.map { .string($0.reason.rawValue) } ?? .null, "fault": .string("\(error)"),
        ]
    }
}
