import Foundation
import SparkCore
import SparkStorage

/// A folder for one test's files.
struct TemporaryDirectory {
    let url = FileManager.default.temporaryDirectory.appending(path: "spark-test-\(UUID().uuidString)")

    init() { try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    var database: URL { url.appending(path: "spark.db") }
    var backups: URL { url.appending(path: "backups") }

    func remove() { try? FileManager.default.removeItem(at: url) }

    func open(_ migrations: [Migration] = [TemporaryDirectory.rows]) throws -> SQLiteStorage {
        try SQLiteStorage(
            StorageConfiguration(file: database, backupDirectory: backups), migrations: migrations,
            clock: ManualClock(Timestamp(milliseconds: 1_772_366_400_000)))
    }

    static let rows = Migration(
        "test.001_rows", sql: "CREATE TABLE test_rows (id INTEGER PRIMARY KEY, filling BLOB) STRICT")

    static let places = Migration("test.002_places") { session in
        try session.script("CREATE TABLE test_places (id INTEGER PRIMARY KEY)")
        try session.script("SELECT AddGeometryColumn('test_places', 'location', 4326, 'POINT', 'XY')")
        try session.script("SELECT CreateSpatialIndex('test_places', 'location')")
    }
}

/// Runs a test on a fresh store and closes it.
func withStorage(_ body: (SQLiteStorage) async throws -> Void) async throws {
    let directory = TemporaryDirectory()
    defer { directory.remove() }
    let storage = try directory.open()
    try await body(storage)
    await storage.close()
}
