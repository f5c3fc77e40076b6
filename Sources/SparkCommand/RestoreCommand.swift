import ArgumentParser
import Foundation
import Logging
import Spark
import SparkBackup
import SparkCore
import SparkServer
import Synchronization

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a backup into a new data directory, or list the backups of a place.",
        discussion: """
            FROM is what spark backup had as TO. The directory of --data must be absent or empty. Everything is checked beside it, \
            as by spark check, and renamed into place only when it is sound. People who were erased after the backup are erased \
            again, by the list that is kept with the backups. Devices start over at the first start on the directory.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "Where the backups are; by default backup.to.")
    var from: String?

    @Option(name: .long, help: "The name of the backup, or latest.")
    var backup = "latest"

    @Option(name: .customLong("identity"), help: "A file with a private key of age. May be repeated.")
    var identities: [String] = []

    @Option(
        name: .long,
        help: "A further list of people who were erased: spark.erasures of the lost directory. They are erased again, too.")
    var erasures: String?

    @Option(
        name: .long,
        help: """
            Restore the last state that is not later, such as 2026-03-01T09:30:00.250Z or with +01:00, or latest; needs an archive.
            """)
    var at: String?

    @Option(
        name: .long,
        help: """
            Restore the state just before this entry of the operators' log, a number of spark operator-log or the beginning of a hash; \
            needs an archive.
            """)
    var before: String?

    @Flag(
        name: .long,
        help: "Take what is not encrypted, too, although there is a key: for a place where encryption was turned on later.")
    var allowUnencrypted = false

    @Flag(name: .long, help: "List the backups and the moments of the archive, and restore none.")
    var list = false

    func validate() throws {
        if at != nil, before != nil { throw ValidationError("--at and --before name two moments; leave out one of them.") }
        if at != nil || before != nil, backup != "latest" {
            throw ValidationError("--backup names a moment, and so do --at and --before; leave out one of them.")
        }
        _ = try moment()
    }

    func run() async throws {
        try await reportingBackups {
            // The new directory is made beside an empty one, and the key may be readable for root alone.
            let configuration = try common.load(staysRoot: true)
            let settings: BackupConfiguration = configuration.section("backup")
            guard let place = from ?? (settings.isOn ? settings.place : nil) else {
                throw BackupError.refused(
                    "name the place of the backups, as in spark restore /mnt/backups --list, or set backup.to")
            }
            let store = try BackupStores.openForReading(place, bucket: settings.bucket)
            if list { return try await showBackups(of: store, place) }
            guard common.data != nil else {
                throw BackupError.refused("name the new data directory: --data DIRECTORY, which must be absent or empty")
            }
            try await restore(from: store, place, configuration, settings)
        }
    }

    private func restore(
        from store: any BackupStore, _ place: String, _ configuration: LoadedConfiguration, _ settings: BackupConfiguration
    ) async throws {
        let process: ServerConfiguration = configuration.section("server")
        let opening = try BackupCiphers.opening(identities.map { URL(filePath: $0) })
        let target = URL(filePath: process.dataDirectory, directoryHint: .isDirectory)
        var restoration = Restoration(store: store, opening: opening, directory: target)
        restoration.name = backup == "latest" ? nil : backup
        let requiresEncryption = (opening != nil || !settings.recipients.isEmpty) && !allowUnencrypted
        restoration.requiresEncryption = requiresEncryption
        let passedOver = PassedOver()
        restoration.note = { passedOver.add($0) }
        let bar = LazyProgressBar()
        restoration.progress = { bar.show("pages", $0.pages, of: $0.of) }
        let given = try erasures.map { try ErasureFile.read(URL(filePath: $0)) } ?? []
        let data = RestoredData(
            modules: sparkModules, configuration: configuration, logger: CommandLogger.make(configuration, atLeast: .warning))
        let start = ContinuousClock.now
        let job = restoration
        let wanted = try moment()
        let finish: @Sendable (URL, BackupManifest, Bool) async throws -> RestoredData.Outcome = {
            directory, manifest, isAdvanced in
            let listed = try await ErasureObjects.read(
                from: store, opening: opening, requiresEncryption: requiresEncryption,
                in: directory.deletingLastPathComponent())
            return try await data.complete(directory, manifest: isAdvanced ? nil : manifest, erasures: listed + given)
        }
        // Before the directory is in its place: nothing is asked of the store after that.
        let last = wanted == nil ? await Self.end(of: store) : nil
        let result: ArchiveRestoration.Result<RestoredData.Outcome> = try await StopSignals.shared.cancelling {
            if let wanted {
                return try await ArchiveRestoration(job) { bar.show("segments", $0, of: $1) }.run(wanted) {
                    try await finish($0, $1, true)
                }
            }
            let (manifest, outcome) = try await job.run { try await finish($0, $1, false) }
            return ArchiveRestoration.Result(manifest: manifest, outcome: outcome, position: nil, undone: nil)
        }
        report(
            result, passedOver.all + result.outcome.notes, further: last.flatMap { $0 > result.manifest.takenAt ? $0 : nil },
            seconds: start.duration(to: .now).inSeconds, process.dataDirectory)
    }

    /// The last moment of the archive; nil also if it cannot be read.
    private static func end(of store: any BackupStore) async -> Timestamp? {
        guard let bases = try? await BackupCatalog(store).archiveBases() else { return nil }
        return try? await ArchiveCatalog.read(store).ranges(bases).last?.last
    }

    /// The wanted moment; nil for that of the backup.
    private func moment() throws -> ArchiveReplay.Moment? {
        if let before { return try Self.entry(before) }
        guard let at else { return nil }
        if at == "latest" { return .latest }
        let date = [false, true].lazy.compactMap {
            try? Date(at, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: $0))
        }.first
        guard let date, abs(date.timeIntervalSince1970) < 1e11, Self.isInCalendar(at) else {
            throw ValidationError(
                "--at: \(at) is no time like 2026-03-01T09:30:00Z, 2026-03-01T09:30:00.250Z or 2026-03-01T10:30:00+01:00.")
        }
        return .at(Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1_000).rounded())))
    }

    /// The state before an entry that is named by its number, or by the beginning of its hash.
    private static func entry(_ text: String) throws -> ArchiveReplay.Moment {
        if text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let number = Int64(text), number > 0 else { throw ValidationError("--before: entries have numbers from 1.") }
            return .beforeEntry(number)
        }
        let hash = text.lowercased()
        guard (6...64).contains(hash.utf8.count),
            hash.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else {
            throw ValidationError("--before: \(text) is neither the number of an entry nor 6 to 64 digits of its hash.")
        }
        return .beforeHash(hash)
    }

    /// Whether the day and the time of day exist: the formatter takes 30 February for 2 March.
    private static func isInCalendar(_ text: String) -> Bool {
        guard let words = text.firstMatch(of: /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})/) else {
            return false
        }
        let numbers = [words.1, words.2, words.3, words.4, words.5, words.6].compactMap { Int($0) }
        return numbers.count == 6 && CivilDate(year: numbers[0], month: numbers[1], day: numbers[2]) != nil && numbers[3] < 24
            && numbers[4] < 60 && numbers[5] < 60
    }

    private func report(
        _ result: ArchiveRestoration.Result<RestoredData.Outcome>, _ notes: [String], further: Timestamp?, seconds: Double,
        _ directory: String
    ) {
        let (manifest, outcome) = (result.manifest, result.outcome)
        let moment = result.position?.at ?? manifest.takenAt
        guard !common.json else {
            return Terminal.say(
                json: [
                    "backup": .string(manifest.name), "data": .string(directory), "taken_at": .string("\(manifest.takenAt)"),
                    "state_at": .string("\(moment)"),
                    "archive_goes_on_to": further.map { .string("\($0)") } ?? .null,
                    "undone": result.undone.map(Self.json) ?? .null,
                    "database_bytes": .integer(manifest.databaseBytes), "seconds": .number(seconds),
                    "erased_again": .integer(Int64(outcome.erased)), "notes": .array(notes.map { .string($0) }),
                ] as JSONValue)
        }
        for note in notes { Terminal.note(Display.text(note)) }
        Terminal.say(
            "\(Display.text(directory)) holds the state of \(moment) (backup \(manifest.name)), checked. "
                + "Erased again, because they were erased since: \(Terminal.count(outcome.erased, "person", "people")). "
                + "Start it: spark serve --data \(Display.text(directory))")
        if let entry = result.undone {
            Terminal.say(
                "Entry \(entry.number) of the operators' log is undone: \(Display.text(entry.action)), of \(entry.at), "
                    + "hash \(entry.hash).")
        }
        if let further { Terminal.say("The archive goes on to \(further): --at latest") }
    }

    private static func json(_ entry: LogEntry) -> JSONValue {
        [
            "seq": .integer(entry.number), "at": .string("\(entry.at)"), "action": .string(entry.action),
            "hash": .string(entry.hash),
        ]
    }

    private func showBackups(of store: any BackupStore, _ place: String) async throws {
        let entries: [BackupCatalog.Entry]
        let ranges: [ArchiveRange]
        do {
            (entries, ranges) = try await StopSignals.shared.cancelling {
                let entries = try await BackupCatalog(store).entries()
                let bases = entries.filter(\.isComplete).compactMap { $0.manifest?.archiveBase }
                return (entries, try await ArchiveCatalog.read(store).ranges(bases))
            }
        } catch let error as BackupStoreError {
            throw Self.readable(error, place)
        }
        guard !common.json else { return Terminal.say(json: JSONValue.array(entries.map { Self.json($0, ranges) })) }
        if entries.isEmpty { return Terminal.say("There are no backups in \(Display.text(place)).") }
        for entry in entries {
            let size = entry.manifest.map { ByteText.of($0.storedBytes) } ?? "-"
            let words = [
                entry.manifest.map { $0.isEncrypted ? "encrypted" : "not encrypted" },
                entry.manifest.map { "spark \(Display.text($0.version))" },
                entry.fault.map { "not complete: \(Display.text($0))" } ?? "complete",
            ]
            Terminal.say(
                "\(entry.name.text)  \(entry.takenAt)  \(size)  \(words.compactMap(\.self).joined(separator: ", "))"
            )
        }
        for range in ranges {
            Terminal.say("any moment from \(range.first) to \(range.last)  \(ByteText.of(range.bytes)) of archive")
            if let missing = range.missing {
                Terminal.say("  then segment \(missing) is missing: nothing until the next backup or moment in this list")
            }
        }
    }

    /// The moments that can be restored with a backup; null if the archive has none.
    private static func json(_ base: ArchiveBase?, _ ranges: [ArchiveRange]) -> JSONValue {
        guard let base, let range = ranges.first(where: { $0.generation == base.to.generation }),
            range.lastCommit >= base.to.commit
        else { return .null }
        return [
            "from": .string("\(base.to.at)"), "to": .string("\(range.last)"), "generation": .string(range.generation),
            "missing_segment": range.missing.map { .integer($0) } ?? .null,
        ]
    }

    private static func readable(_ error: BackupStoreError, _ place: String) -> BackupError {
        switch error {
        case .missing(let name): .damaged("\(place): \(name) is missing")
        case .refused(let text): .refused("\(place): \(text)")
        case .unavailable(let text): .unavailable("\(place): \(text)")
        case .damaged(let text): .damaged("\(place): \(text)")
        }
    }

    private static func json(_ entry: BackupCatalog.Entry, _ ranges: [ArchiveRange]) -> JSONValue {
        [
            "backup": .string(entry.name.text), "taken_at": .string("\(entry.takenAt)"),
            "complete": .bool(entry.isComplete), "fault": entry.fault.map { .string($0) } ?? .null,
            "moments": json(entry.isComplete ? entry.manifest?.archiveBase : nil, ranges),
            "encrypted": entry.manifest.map { .bool($0.isEncrypted) } ?? .null,
            "spark": entry.manifest.map { .string($0.version) } ?? .null,
            "stored_bytes": entry.manifest.map { .integer($0.storedBytes) } ?? .null,
            "database_bytes": entry.manifest.map { .integer($0.databaseBytes) } ?? .null,
            "people": entry.manifest?.people.map { .integer($0) } ?? .null,
            "messages": entry.manifest?.messages.map { .integer($0) } ?? .null,
        ]
    }
}

/// The sentences about newer backups that are not whole.
private final class PassedOver: Sendable {
    private let sentences = Mutex<[String]>([])

    var all: [String] { sentences.withLock { $0 } }

    func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
}
