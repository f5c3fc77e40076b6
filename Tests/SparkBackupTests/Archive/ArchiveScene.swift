import Foundation
import GRDBSQLite
import Glibc
import Logging
import SparkCore
import SparkStorage
import Testing

@testable import SparkBackup

/// A database with an archive, and a model of what it contains after each commit.
final class ArchiveScene {
    /// What the table contains: the length of each row's filling.
    typealias Rows = [Int: Int]

    let folder: URL
    let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))
    let store = MemoryStore()
    /// Where the archive goes instead of `store`; nil for the latter.
    var place: (any BackupStore)?
    var target: any BackupStore { place ?? store }
    let settings: LogArchive.Settings
    private(set) var archive: LogArchive
    private(set) var storage: SQLiteStorage
    /// The state after each commit that changed something, and its time.
    private(set) var states: [(at: Timestamp, rows: Rows)] = []
    private(set) var bases: [ArchiveBase] = []
    var sealing: (any BackupSealing)?
    var opening: (any BackupOpening)?
    /// Whether segments without encryption are refused; nil for so if there is an opening.
    var requiresEncryption: Bool?
    private var rows: Rows = [:]
    private var uploads: Task<Void, Never>?

    static let migration = Migration(
        "test.001_rows", sql: "CREATE TABLE test_rows (id INTEGER PRIMARY KEY, filling BLOB) STRICT")

    /// - Parameter interval: How long commits are gathered; long in tests that decide themselves when they are read.
    init(spoolBytes: Int64, interval: Duration) throws {
        self.folder = FileManager.default.temporaryDirectory.appending(path: "spark-archive-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "data"), withIntermediateDirectories: true)
        var settings = LogArchive.Settings()
        settings.interval = interval
        settings.spoolBytes = spoolBytes
        self.settings = settings
        (archive, storage) = try Self.open(folder.appending(path: "data"), settings, clock)
    }

    /// Opens the database of a directory with its archive, as a server does.
    static func open(
        _ directory: URL, _ settings: LogArchive.Settings, _ clock: ManualClock, isSameHistory: Bool = true
    ) throws -> (LogArchive, SQLiteStorage) {
        let file = directory.appending(path: "spark.db")
        let archive = LogArchive(
            database: file, folder: directory.appending(path: "archive"), settings: settings, clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        archive.open(isSameHistory: isSameHistory, logWritten: clock.now())
        var configuration = StorageConfiguration(file: file, backupDirectory: nil)
        configuration.logObserver = archive
        return (archive, try SQLiteStorage(configuration, migrations: [migration], clock: clock))
    }

    var data: URL { folder.appending(path: "data") }

    func remove() {
        uploads?.cancel()
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: Load

    /// One random write, and a little time. Long fillings make many pages.
    func write(using random: inout some RandomNumberGenerator, longest: Int = 20_000) async throws {
        let (id, length) = (Int.random(in: 0..<60, using: &random), Int.random(in: 1...longest, using: &random))
        clock.advance(by: .milliseconds(Int64.random(in: 1...50, using: &random)))
        if Int.random(in: 0..<5, using: &random) == 0, rows[id] != nil {
            try await storage.write { try $0.run("DELETE FROM test_rows WHERE id = ?", id) }
            rows[id] = nil
        } else {
            try await storage.write {
                try $0.run("INSERT OR REPLACE INTO test_rows (id, filling) VALUES (?, randomblob(?))", id, length)
            }
            rows[id] = length
        }
        states.append((clock.now(), rows))
    }

    /// A checkpoint by another connection, so that the next write overwrites the log from its beginning.
    func checkpoint() throws {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        #expect(sqlite3_open_v2(data.appending(path: "spark.db").path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
        #expect(sqlite3_exec(handle, "PRAGMA busy_timeout = 5000; PRAGMA wal_checkpoint(PASSIVE)", nil, nil, nil) == SQLITE_OK)
    }

    // MARK: Archive

    func startUploads() {
        let (archive, store, sealing) = (archive, target, sealing)
        uploads = Task { await archive.run(in: store, sealing: sealing) { _ in } }
    }

    func stopUploads() async {
        uploads?.cancel()
        await uploads?.value
        uploads = nil
    }

    /// Waits until everything that was committed is in the store.
    func settle() async throws {
        _ = await archive.catchUp()
        #expect(await archive.storeRest(in: target, sealing: sealing, within: .seconds(60)))
    }

    /// Makes a backup between two positions of the archive.
    func makeBase(_ meanwhile: () async throws -> Void = {}) async throws {
        guard let from = archive.position else { return }
        try await meanwhile()
        await storage.emptyLog()
        let name = "base-\(bases.count)"
        // In a process of its own: closing a descriptor of the database here would release SQLite's locks.
        try Self.copy(data.appending(path: "spark.db"), to: folder.appending(path: name))
        let entry = try await storage.read { try $0.value("SELECT max(seq) FROM spark_audit", as: Int64.self) ?? 0 }
        try await meanwhile()
        guard let to = await archive.catchUp() else { return }
        #expect(from.generation == to.generation)
        bases.append(ArchiveBase(name: name, from: from, to: to, lastEntry: entry))
    }

    static func copy(_ source: URL, to target: URL) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/cp")
        process.arguments = ["-r", source.path, target.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    /// Closes everything in order.
    func close() async {
        await stopUploads()
        await storage.close()
        await archive.close()
    }

    /// Opens everything again.
    func reopen(isSameHistory: Bool = true) throws {
        (archive, storage) = try Self.open(data, settings, clock, isSameHistory: isSameHistory)
    }

    /// Goes on in a copy of the files as they are now, as after a kill.
    func crash() async throws {
        await stopUploads()
        let image = folder.appending(path: "image")
        try Self.copy(data, to: image)
        await storage.close()
        await archive.close()
        try FileManager.default.removeItem(at: data)
        try FileManager.default.moveItem(at: image, to: data)
        try FileManager.default.removeItem(at: data.appending(path: "spark.db-shm"))
        try reopen()
    }

    // MARK: Restoring

    /// Restores a state.
    /// - Returns: The rows, and the position.
    func restore(_ moment: ArchiveReplay.Moment, keeping file: URL? = nil) async throws -> (rows: Rows, position: ArchivePosition)
    {
        let target = folder.appending(path: "restored-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: target) }
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        let database = target.appending(path: "spark.db")
        let replay = ArchiveReplay(
            store: self.target, opening: opening, requiresEncryption: requiresEncryption, scratch: target)
        for plan in try await replay.plans(for: moment, bases: bases) {
            try? FileManager.default.removeItem(at: database)
            try Self.copy(folder.appending(path: plan.base.name), to: database)
            do {
                let position = try await replay.run(plan, on: database)
                if let file { try Self.copy(database, to: file) }
                return (try await Self.rows(of: database, clock), position)
            } catch ArchiveError.tooLate {
                continue
            }
        }
        throw ArchiveError.unusable("no plan")
    }

    /// The entry of the operators' log before which a state is.
    func undone(_ moment: ArchiveReplay.Moment) async throws -> LogEntry? {
        let target = folder.appending(path: "undone-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: target) }
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        let database = target.appending(path: "spark.db")
        let replay = ArchiveReplay(store: self.target, opening: opening, scratch: target)
        let plan = try #require(try await replay.plans(for: moment, bases: bases).first)
        try Self.copy(folder.appending(path: plan.base.name), to: database)
        let result = ReplayResult()
        _ = try await replay.run(plan, on: database, undone: { result.set(undone: $0) })
        return result.undone
    }

    private static func rows(of database: URL, _ clock: ManualClock) async throws -> Rows {
        let storage = try SQLiteStorage(
            StorageConfiguration(file: database, backupDirectory: nil), migrations: [migration], clock: clock)
        let found = try await storage.read { session in
            #expect(try session.value("PRAGMA integrity_check", as: String.self) == "ok")
            var rows: Rows = [:]
            try session.statement("SELECT id, length(filling) FROM test_rows").forEach([]) { row in
                rows[Int(row.integer(0))] = Int(row.integer(1))
                return true
            }
            return rows
        }
        await storage.close()
        return found
    }

    /// The rows at a time, from the model.
    func rows(at time: Timestamp) -> Rows? { states.last { $0.at <= time }?.rows }
}

/// Runs a test with a scene, which is removed afterwards.
func withArchive(
    spoolBytes: Int64 = 1 << 30, interval: Duration = .milliseconds(20), _ body: (ArchiveScene) async throws -> Void
) async throws {
    let scene = try ArchiveScene(spoolBytes: spoolBytes, interval: interval)
    defer { scene.remove() }
    try await body(scene)
    await scene.close()
}
