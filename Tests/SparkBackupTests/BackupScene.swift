import Foundation
import SparkBackup
import SparkCore
import SparkStorage
import Synchronization

/// A data directory with a database whose rows always have the same number: whatever is torn shows it.
final class BackupScene: Sendable {
    static let rows = 400
    /// Of the filling of each row; some pages.
    static let filling = 3_000

    let folder = FileManager.default.temporaryDirectory.appending(path: "spark-backup-test-\(UUID().uuidString)")
    let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))
    let storage: SQLiteStorage

    init() throws {
        let data = folder.appending(path: "data")
        try FileManager.default.createDirectory(at: data.appending(path: "keys"), withIntermediateDirectories: true)
        try Data((0..<32).map { UInt8($0) }).write(to: data.appending(path: "keys/server.key"))
        self.storage = try SQLiteStorage(
            StorageConfiguration(file: data.appending(path: "spark.db"), backupDirectory: nil),
            migrations: [
                Migration(
                    "test.001_numbers",
                    sql: "CREATE TABLE test_numbers (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, filling BLOB) STRICT")
            ], clock: clock)
    }

    var data: URL { folder.appending(path: "data") }
    var place: URL { folder.appending(path: "place") }
    var target: URL { folder.appending(path: "restored") }
    var store: DirectoryStore { DirectoryStore(place) }

    func fill() async throws {
        try await storage.write { transaction in
            for id in 0..<Self.rows {
                try transaction.session.run(
                    "INSERT INTO test_numbers (id, number, filling) VALUES (?, 0, ?)", id, Self.bytes(id, 0))
            }
        }
    }

    /// Gives every row the next number, in one transaction.
    func count(_ number: Int) async throws {
        try await storage.write { transaction in
            for id in 0..<Self.rows {
                try transaction.session.run(
                    "UPDATE test_numbers SET number = ?, filling = ? WHERE id = ?", number, Self.bytes(id, number), id)
            }
        }
    }

    private static func bytes(_ id: Int, _ number: Int) -> [UInt8] {
        var state = UInt64(id &* 1_000_003 &+ number &* 7_919 &+ 1)
        return (0..<filling).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    /// The numbers that a database has; one if it is the state after some transaction.
    static func numbers(in database: URL) throws -> Set<Int64> {
        let storage = try SQLiteStorage(
            StorageConfiguration(file: database, backupDirectory: nil),
            migrations: [Migration("test.001_numbers", sql: "")], clock: ManualClock(Timestamp(milliseconds: 0)))
        let numbers = try storage.readNow { try $0.rows("SELECT DISTINCT number FROM test_numbers") { $0.integer(0) } }
        let faults = try storage.check()
        return faults.isEmpty ? Set(numbers) : [-1]
    }

    func job(_ store: (any BackupStore)? = nil) -> BackupJob {
        var job = BackupJob(
            directory: data, store: store ?? self.store, version: "test", clock: clock, random: SeededRandomSource(seed: 7))
        job.partBytes = 256 << 10
        return job
    }

    func restoration(_ store: (any BackupStore)? = nil, opening: (any BackupOpening)? = nil) -> Restoration {
        Restoration(store: store ?? self.store, opening: opening, directory: target)
    }

    var hasTarget: Bool { FileManager.default.fileExists(atPath: target.path) }

    /// What is left beside the data, the place and the restored directory.
    func leftovers() throws -> [String] {
        let scratch = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix(".spark-restore") }
        let parts = (try? FileManager.default.contentsOfDirectory(atPath: data.appending(path: BackupScratch.name).path)) ?? []
        return scratch + parts.filter { $0.hasPrefix("part-") }
    }
}

/// Runs a test in a scene and removes it.
func withBackupScene(_ body: (BackupScene) async throws -> Void) async throws {
    let scene = try BackupScene()
    do {
        try await scene.fill()
        try await body(scene)
    } catch {
        await scene.storage.close()
        try? FileManager.default.removeItem(at: scene.folder)
        throw error
    }
    await scene.storage.close()
    try? FileManager.default.removeItem(at: scene.folder)
}

/// A store around another one that does something before an object is stored.
struct HookedStore: BackupStore {
    let store: any BackupStore
    let before: @Sendable (String) async throws -> Void

    var description: String { store.description }
    func put(_ file: URL, as name: String) async throws {
        try await before(name)
        try await store.put(file, as: name)
    }
    func get(_ name: String, into file: URL) async throws { try await store.get(name, into: file) }
    func list(_ prefix: String) async throws -> [StoredObject] { try await store.list(prefix) }
    func delete(_ name: String) async throws { try await store.delete(name) }
}

/// A cipher for tests: it only has to be different, and to notice changes.
struct TestCipher: BackupSealing, BackupOpening {
    var suffix: String { ".test" }
    private static let head = Array("sealed".utf8)

    func seal(_ file: URL, into sealed: URL) throws {
        let bytes = [UInt8](try Data(contentsOf: file)).map { $0 ^ 0xA5 }
        try Data(Self.head + bytes).write(to: sealed)
    }

    func open(_ sealed: URL, into file: URL) throws {
        let bytes = [UInt8](try Data(contentsOf: sealed))
        guard bytes.starts(with: Self.head) else { throw BackupError.damaged("it is not sealed") }
        try Data(bytes.dropFirst(Self.head.count).map { $0 ^ 0xA5 }).write(to: file)
    }
}
