import Foundation
import GRDB
import SparkCore
import SparkStorage
import Testing

@Suite("The schema")
struct SchemaTests {
    @Test("an old database is migrated forward and a copy of it kept")
    func forward() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let old = try directory.open()
        try await old.write { try $0.session.script("INSERT INTO test_rows (id) VALUES (7)") }
        await old.close()
        let new = try directory.open([TemporaryDirectory.rows, TemporaryDirectory.places])
        #expect(try await new.read { try $0.value("SELECT id FROM test_rows", as: Int.self) } == 7)
        await new.close()
        let copies = try FileManager.default.contentsOfDirectory(atPath: directory.backups.path)
        #expect(copies == ["before-test.002_places.db"])
        let copy = try DatabaseQueue(path: directory.backups.appending(path: copies[0]).path)
        #expect(try await copy.read { try Int.fetchOne($0, sql: "SELECT id FROM test_rows") } == 7)
        #expect(try await copy.read { try $0.tableExists("test_places") } == false)
    }

    @Test("a database of a newer program is refused with a line that says so")
    func newer() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let new = try directory.open([TemporaryDirectory.rows, TemporaryDirectory.places])
        await new.close()
        let error = #expect(throws: StorageOpenError.self) { _ = try directory.open() }
        #expect(error?.hint.contains("newer") == true)
    }

    @Test("missing steps take effect together or not at all")
    func together() async throws {
        struct Fault: Error {}
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let old = try directory.open()
        await old.close()
        let fails = Migration("test.003_fails") { _ in throw Fault() }
        let error = #expect(throws: StorageOpenError.self) {
            _ = try directory.open([TemporaryDirectory.rows, TemporaryDirectory.places, fails])
        }
        #expect(error?.hint.contains("test.003_fails failed: Fault. Nothing was changed") == true, "\(error?.hint ?? "")")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.backups.path) == [], "attempts leave no copies")
        let again = try directory.open()
        #expect(
            try await again.read { try $0.value("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'test_places'", as: Int.self) }
                == 0)
        await again.close()
    }

    @Test("an upgrade that breaks a reference between tables is refused")
    func brokenReference() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let old = try directory.open()
        await old.close()
        let step = Migration(
            "test.002_child",
            sql: """
                CREATE TABLE test_children (id INTEGER PRIMARY KEY, row INTEGER NOT NULL REFERENCES test_rows (id)) STRICT;
                INSERT INTO test_children (id, row) VALUES (1, 2);
                """)
        let error = #expect(throws: StorageOpenError.self) { _ = try directory.open([TemporaryDirectory.rows, step]) }
        #expect(error?.hint.contains("rows of test_children refer to missing rows of test_rows. Nothing was changed") == true)
    }

    @Test("an upgrade on a full disk changes nothing, and says how much room it needs")
    func fullDisk() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let old = try directory.open()
        await old.close()
        // Such a file cannot grow, as on a full disk.
        let step = Migration(
            "test.002_grows",
            sql: "PRAGMA max_page_count = 1; INSERT INTO test_rows (id, filling) VALUES (1, zeroblob(1000000))")
        let error = #expect(throws: StorageOpenError.self) { _ = try directory.open([TemporaryDirectory.rows, step]) }
        #expect(
            error?.hint.contains("test.002_grows failed: no space is left on the device (ENOSPC). Nothing was changed") == true)
        #expect(error?.hint.contains("as much free room as twice the database") == true)
        let again = try directory.open()
        #expect(try await again.read { try $0.value("SELECT COUNT(*) FROM test_rows", as: Int.self) } == 0)
        await again.close()
    }

    @Test("an upgrade before which no copy can be made does not begin")
    func noCopy() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let old = try directory.open()
        await old.close()
        // A file where the folder of the copies should be.
        try Data().write(to: directory.backups)
        let error = #expect(throws: StorageOpenError.self) {
            _ = try directory.open([TemporaryDirectory.rows, TemporaryDirectory.places])
        }
        #expect(error?.operation == "keep a copy before migrating")
        let again = try directory.open()
        await again.close()
    }

    @Test("a file that is not a database is refused with a line that says so")
    func noDatabase() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        try Data(repeating: 0x41, count: 8_192).write(to: directory.database)
        #expect(throws: StorageOpenError.self) { _ = try directory.open() }
    }
}

@Suite("spark check")
struct StorageCheckTests {
    private func withPlaces(_ body: (SQLiteStorage) async throws -> Void) async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open([TemporaryDirectory.rows, TemporaryDirectory.places])
        for id in 1...20 {
            let place = try #require(Coordinate(latitude: Double(id) * 4 - 42, longitude: Double(id) * 17 - 178))
            try await storage.write { transaction in
                try transaction.session.run(
                    "INSERT INTO test_places (id, location) VALUES (?, ?)", id, GeometryBlob.point(place))
            }
        }
        try await body(storage)
        await storage.close()
    }

    @Test("a sound database has no faults, and our own geometry blobs are SpatiaLite's")
    func sound() async throws {
        try await withPlaces { storage in
            #expect(try storage.check() == [])
            let text = try await storage.read { session in
                try session.value("SELECT AsText(location) FROM test_places WHERE id = 3", as: String.self)
            }
            #expect(text == "POINT(-127 -30)")
            let blob = try await storage.read { session in
                try session.value("SELECT MakePoint(-127, -30, 4326)", as: [UInt8].self)
            }
            #expect(blob == GeometryBlob.point(try #require(Coordinate(latitude: -30, longitude: -127))))
        }
    }

    @Test("a missing, misplaced or surplus entry of the R-tree is found")
    func faultyIndex() async throws {
        try await withPlaces { storage in
            try await storage.write { try $0.session.script("DELETE FROM idx_test_places_location WHERE pkid = 4") }
            #expect(try storage.check().contains { $0.contains("1 rows of test_places are missing") })
            try await storage.write { transaction in
                try transaction.session.script("INSERT INTO idx_test_places_location VALUES (4, 1, 1, 1, 1), (99, 1, 1, 1, 1)")
            }
            let faults = try storage.check()
            #expect(faults.contains { $0.contains("1 rows of test_places") })
            #expect(faults.contains { $0.contains("1 entries of test_places have no geometry") })
        }
    }
}

@Suite("The outbox")
struct OutboxTests {
    @Test("a job is handed out when it is due, not before, and once per lease")
    func lease() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))
        let storage = try SQLiteStorage(
            StorageConfiguration(file: directory.database, backupDirectory: nil), migrations: [], clock: clock)
        try await storage.write { transaction in
            try transaction.enqueue(topic: "test.now", payload: [1])
            try transaction.enqueue(topic: "test.later", payload: [2], availableAt: clock.now() + .hours(1))
        }
        let first = try await storage.outbox.lease(limit: 10, for: .minutes(5))
        #expect(first.map(\.topic) == ["test.now"])
        #expect(try await storage.outbox.lease(limit: 10, for: .minutes(5)).isEmpty)
        clock.advance(by: .minutes(6))
        let again = try await storage.outbox.lease(limit: 10, for: .minutes(5))
        #expect(again.map(\.attempts) == [1])
        try await storage.outbox.complete(try #require(again.first))
        clock.advance(by: .hours(1))
        #expect(try await storage.outbox.lease(limit: 10, for: .minutes(5)).map(\.payload) == [[2]])
        await storage.close()
    }
}
