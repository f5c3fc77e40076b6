import Foundation
import Spark
import SparkCore
import SparkServer
import SparkStorage
import Synchronization
import Testing

@Suite("A new database")
struct NewDatabaseTests {
    private static let steps = ModulePlan(sparkModules).manifests.flatMap(\.migrations)
    private static let data = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../data")
    private let directory = FileManager.default.temporaryDirectory.appending(path: "spark-new-\(UUID().uuidString)")

    /// - Parameter steps: gets the migrations that ran.
    private func open(
        _ name: String, _ migrations: [Migration], new: NewDatabase? = nil, steps: StepLog = StepLog()
    ) throws -> SQLiteStorage {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var configuration = StorageConfiguration(file: directory.appending(path: name), backupDirectory: nil)
        if let new { configuration.newDatabase = { new } }
        return try SQLiteStorage(
            configuration, migrations: migrations, clock: ManualClock(Timestamp(milliseconds: 1_772_366_400_000))
        ) { steps.note($0) }
    }

    private func text(of storage: SQLiteStorage) async throws -> String {
        try await storage.read { try SchemaScript.text(in: $0) }
    }

    /// What sqlite_schema holds, sorted.
    private func objects(in storage: SQLiteStorage) async throws -> [String] {
        try await storage.read { session in
            try session.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name") { row in
                "\(row.text(0)) \(row.text(1)) \(row.text(2)) \(row.isNull(3) ? "" : row.text(3))"
            }
        }
    }

    /// A database on which the migrations ran one after another, as on an older one.
    private func migratedByStep() async throws -> SQLiteStorage {
        let first = try open("by-step.db", [])
        await first.close()
        return try open("by-step.db", Self.steps)
    }

    @Test("begins as a file that equals what the migrations make")
    func file() async throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let migrated = try await migratedByStep()
        let expected = try await text(of: migrated)
        let file = Self.data.appending(path: "schema.sql")
        if ProcessInfo.processInfo.environment["SPARK_WRITE_SCHEMA"] != nil {
            try expected.write(to: file, atomically: true, encoding: .utf8)
            let database = Self.data.appending(path: "schema.db")
            try? FileManager.default.removeItem(at: database)
            try migrated.writeNewDatabase(to: database.path)
        }
        let written = try String(contentsOf: file, encoding: .utf8)
        let log = StepLog()
        let made = try open("by-file.db", Self.steps, new: .ofOwnModules, steps: log)
        #expect(log.ids == [])
        // Another SpatiaLite has other tables of its own.
        if written.split(separator: "\n").prefix(2) == expected.split(separator: "\n").prefix(2) {
            #expect(written == expected, "run make schema")
            #expect(try await objects(in: made) == objects(in: migrated))
            // A file that was vacuumed has its tables before their indexes.
            let lines = try await text(of: made).split(separator: "\n").sorted()
            #expect(lines == expected.split(separator: "\n").sorted(), "run make schema")
        }
        #expect(try made.check() == [])
        await made.close()
        await migrated.close()
    }

    @Test("of a binary names every migration")
    func complete() throws {
        #expect(Set(Self.steps.map(\.id)).isSubset(of: NewDatabase.ofOwnModules.migrations), "run make schema")
    }

    @Test("runs the migrations that its file does not have, and all of them without a module of the file")
    func otherModules() async throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let further = Migration("notes.001_rows", sql: "CREATE TABLE notes_rows (id INTEGER PRIMARY KEY) STRICT")
        let log = StepLog()
        let more = try open("more.db", Self.steps + [further], new: .ofOwnModules, steps: log)
        #expect(log.ids == [further.id])
        #expect(try await objects(in: more).contains { $0.hasPrefix("table notes_rows") })
        await more.close()
        let fewer = try open("fewer.db", Self.steps.filter { $0.module != "chat" }, new: .ofOwnModules)
        #expect(try await objects(in: fewer).contains { $0.hasPrefix("table matching_swipes") })
        #expect(try await !objects(in: fewer).contains { $0.hasPrefix("table chat_messages") })
        await fewer.close()
    }

    @Test("never replaces a database, and is whole or not there")
    func never() async throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let step = Migration("test.001_rows", sql: "CREATE TABLE test_rows (id INTEGER PRIMARY KEY) STRICT")
        let old = try open("old.db", [step])
        await old.close()
        let again = try open("old.db", Self.steps + [step], new: .ofOwnModules)
        #expect(try await objects(in: again).contains { $0.hasPrefix("table test_rows") })
        await again.close()
        // A file of nothing is a start that was interrupted; what is left of a draft is written over.
        let (empty, draft) = (directory.appending(path: "empty.db"), directory.appending(path: "empty.db.new"))
        for file in [empty, draft] { try Data().write(to: file) }
        let made = try open("empty.db", Self.steps, new: .ofOwnModules)
        #expect(try await objects(in: made).contains { $0.hasPrefix("table matching_swipes") })
        await made.close()
        #expect(!FileManager.default.fileExists(atPath: draft.path))
    }

    @Test("is empty if a step fails, and whole at the next start")
    func failedStep() async throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        struct Fault: Error {}
        let steps = [
            Migration("test.001_rows", sql: "CREATE TABLE test_rows (id INTEGER PRIMARY KEY) STRICT"),
            Migration("test.002_fails") { _ in throw Fault() },
        ]
        #expect(throws: Fault.self) { _ = try open("fails.db", steps) }
        let storage = try open("fails.db", [steps[0]])
        #expect(try await objects(in: storage).contains { $0.hasPrefix("table test_rows") })
        await storage.close()
    }
}

/// The migrations that ran.
private final class StepLog: Sendable {
    private let noted = Mutex<[String]>([])

    var ids: [String] { noted.withLock { $0 } }

    func note(_ progress: MigrationProgress) {
        if case .step(let id, _, _) = progress { noted.withLock { $0.append(id) } }
    }
}
