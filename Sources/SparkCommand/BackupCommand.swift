import ArgumentParser
import Foundation
import Spark
import SparkBackup
import SparkServer

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Back up the data directory, beside a running server or without one.",
        discussion: """
            TO is a directory on another disk, or a bucket as s3://bucket/prefix. The backup holds the state at one moment: the \
            database and the server's key. It exists only once it is complete, and the exit code is 0 only after it was compared \
            with what was sent. While it is made, the write-ahead log grows by what is written; beyond backup.max_wal_mb it gives up.
            With --recipient it is encrypted, and who loses all private keys loses the backup. Without, everybody who reads the \
            place reads everything.
            A directory gets a file with an identifier, spark-place, at first use. Later it is used only if the file is there: otherwise \
            its disk is not mounted. Only backups to backup.to count for the schedule of the server.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "Where the backup goes; by default backup.to.")
    var to: String?

    @Option(
        name: .customLong("recipient"),
        help: "A public key (age1…) to encrypt for, instead of backup.recipients. May be repeated.")
    var recipients: [String] = []

    @Flag(name: .long, help: "The place replaces the one that was used under this name, such as a new disk.")
    var newPlace = false

    func run() async throws {
        try await reportingBackups {
            let configuration = try common.load()
            let process: ServerConfiguration = configuration.section("server")
            let settings: BackupConfiguration = configuration.section("backup")
            guard let place = to ?? (settings.isOn ? settings.place : nil) else {
                throw BackupError.refused("name the place of the backup, as in spark backup /mnt/backups, or set backup.to")
            }
            try DataAccess.check(process.dataDirectory)
            let directory = URL(filePath: process.dataDirectory, directoryHint: .isDirectory).absoluteURL
            let keys = recipients.isEmpty ? settings.recipients : recipients
            let backups = try BackupPlace(
                place, recipients: keys, bucket: settings.bucket, directory: directory,
                isConfigured: settings.isOn && BackupStores.isSame(place, settings.place), making: newPlace ? .anew : .anywhere)
            let bar = LazyProgressBar()
            let result = try await StopSignals.shared.cancelling {
                try await backups.backUp(maximumLogBytes: settings.maximumLogBytes) { bar.show("pages", $0, of: $1) }
            }
            if backups.isBesideData {
                Terminal.note("\(Display.text(place)) is on the file system of the data: a lost disk takes both")
            }
            report(result, place, isEncrypted: backups.isEncrypted)
        }
    }

    private func report(_ result: BackupJob.Result, _ place: String, isEncrypted: Bool) {
        let manifest = result.manifest
        guard !common.json else {
            return Terminal.say(
                json: [
                    "backup": .string(manifest.name), "to": .string(place), "taken_at": .string("\(manifest.takenAt)"),
                    "encrypted": .bool(isEncrypted), "database_bytes": .integer(manifest.databaseBytes),
                    "stored_bytes": .integer(manifest.storedBytes), "seconds": .number(result.duration.inSeconds),
                    "largest_wal_bytes": .integer(result.largestLogBytes),
                    "people": manifest.people.map { .integer($0) } ?? .null,
                    "messages": manifest.messages.map { .integer($0) } ?? .null,
                ] as JSONValue)
        }
        Terminal.say(
            "Backup \(manifest.name) is in \(Display.text(place)): \(ByteText.of(manifest.storedBytes)) of "
                + "\(ByteText.of(manifest.databaseBytes)), in \(String(format: "%.1f", result.duration.inSeconds)) s, compared.")
        Terminal.say(
            isEncrypted
                ? "It is encrypted: who loses all private keys loses the backup. Keep one where neither this machine nor the place is."
                : "It is not encrypted: everybody who reads the place reads everything. Use --recipient to encrypt it.")
    }
}

/// A size for people.
enum ByteText {
    static func of(_ bytes: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var (value, unit) = (Double(bytes), 0)
        while value >= 1_000, unit < units.count - 1 { (value, unit) = (value / 1_000, unit + 1) }
        return unit == 0 ? "\(bytes) B" : String(format: "%.1f \(units[unit])", value)
    }
}

/// A progress bar whose total is known only later.
final class LazyProgressBar: Sendable {
    private let bar = OnceBox<ProgressBar>()

    func show(_ label: String, _ done: Int, of total: Int) { bar.value { ProgressBar(total: total) }.show(label, done) }
}

/// Turns the errors of backups into a line on standard error and an exit code.
func reportingBackups<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await reporting(body)
    } catch let error as BackupError {
        Terminal.fail("\(error)")
        throw code(of: error)
    } catch let error as DrillSkipped {
        Terminal.fail("\(error)")
        throw error.isTemporary ? ExitCodes.unavailable : ExitCodes.cannotOpen
    } catch is CancellationError {
        Terminal.fail("stopped before the end; nothing was left behind")
        throw ExitCode(128 + (StopSignals.shared.signal ?? 15))
    }
}

private func code(of error: BackupError) -> ExitCode {
    switch error {
    case .refused: ExitCodes.cannotOpen
    case .unavailable: ExitCodes.unavailable
    case .damaged, .unsound: ExitCodes.dataError
    }
}
