import Foundation
import GRDB
import SparkCore
import SparkStorage
import Synchronization
import Testing

@Suite("The database file")
struct FileTests {
    @Test("holds nothing of what was deleted once it is closed")
    func secureDelete() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        let word = "a-word-that-must-not-stay"
        for id in 0..<200 {
            try await storage.write {
                try $0.session.run("INSERT INTO test_rows (id, filling) VALUES (?, ?)", id, Array("\(word) \(id)".utf8))
            }
        }
        try await storage.write { try $0.session.script("DELETE FROM test_rows WHERE id % 2 = 0") }
        try await storage.write { try $0.session.script("DELETE FROM test_rows") }
        await storage.close()
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.url.path) {
            let bytes = try Data(contentsOf: directory.url.appending(path: name))
            #expect(bytes.range(of: Data(word.utf8)) == nil, "\(name)")
        }
    }

    @Test("and its log hold nothing of what was deleted once the log is emptied, while the store is open")
    func emptiedLog() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        let word = "a-word-that-must-not-stay"
        try await storage.write {
            try $0.session.run("INSERT INTO test_rows (id, filling) VALUES (1, ?)", Array(word.utf8))
        }
        try await storage.write { try $0.session.script("DELETE FROM test_rows") }
        func files() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: directory.url.path).filter { name in
                try Data(contentsOf: directory.url.appending(path: name)).range(of: Data(word.utf8)) != nil
            }
        }
        #expect(try files() == ["spark.db-wal"])
        await storage.emptyLog()
        #expect(try files() == [])
        await storage.close()
    }

    @Test("counts the commits that changed something, and no others, and is readable by its owner only")
    func commits() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        let counted = Mutex<[Int64]>([])
        storage.countCommits { count in counted.withLock { $0.append(count) } }
        for id in 0..<3 {
            try await storage.write { try $0.session.run("INSERT INTO test_rows (id) VALUES (?)", id) }
            try await storage.write { _ in }
        }
        #expect(counted.withLock { $0 } == [1, 2, 3])
        for suffix in ["", "-wal", "-shm"] {
            let mode =
                try FileManager.default.attributesOfItem(atPath: directory.database.path + suffix)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o600, "\(suffix)")
        }
        #expect(try DatabaseInspector.inspect(directory.database, company: .server).commits == 3)
        await storage.close()
        #expect(try DatabaseInspector.inspect(directory.database).commits == 3)
    }

    @Test("that may only be read accepts no writes")
    func readOnly() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let owner = try directory.open()
        try await owner.write { try $0.session.script("INSERT INTO test_rows (id) VALUES (7)") }
        await owner.close()
        var configuration = StorageConfiguration(file: directory.database, backupDirectory: directory.backups)
        configuration.readOnly = DatabaseCompany.none
        let reader = try SQLiteStorage(
            configuration, migrations: [TemporaryDirectory.rows, TemporaryDirectory.places],
            clock: ManualClock(Timestamp(milliseconds: 0)))
        #expect(reader.missingMigrations == ["test.002_places"])
        #expect(try await reader.read { try $0.value("SELECT id FROM test_rows", as: Int.self) } == 7)
        await #expect(throws: StorageError.self) {
            try await reader.write { try $0.session.script("DELETE FROM test_rows") }
        }
        await reader.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.url.path) == ["spark.db"])
    }

    @Test("whose first start ended before it had tables is checked: the check says what to do")
    func withoutTables() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        try Data().write(to: directory.database)
        var configuration = StorageConfiguration(file: directory.database, backupDirectory: directory.backups)
        configuration.readOnly = DatabaseCompany.none
        let reader = try SQLiteStorage(
            configuration, migrations: [TemporaryDirectory.rows], clock: ManualClock(Timestamp(milliseconds: 0)))
        #expect(try !reader.hasTables())
        let faults = try reader.check()
        #expect(faults.count == 1 && faults[0].contains("start spark serve"), "\(faults)")
        await reader.close()
        let owner = try directory.open()
        #expect(try owner.hasTables())
        #expect(try owner.check() == [])
        await owner.close()
    }

    @Test(
        "with a damaged page says which table or index it belongs to, and what is lost", arguments: ["test_rows", "test_filling"])
    func damage(name: String) async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let index = Migration("test.002_index", sql: "CREATE INDEX test_filling ON test_rows (filling)")
        let storage = try directory.open([TemporaryDirectory.rows, index])
        for start in stride(from: 0, to: 2_000, by: 500) {
            try await storage.write { transaction in
                for id in start..<(start + 500) {
                    try transaction.session.run(
                        "INSERT INTO test_rows (id, filling) VALUES (?, ?)", id, Array("filling of row \(id)".utf8))
                }
            }
        }
        await storage.close()
        #expect(try DatabaseInspector.damage(of: directory.database, isDeep: true).isEmpty)
        let queue = try DatabaseQueue(path: directory.database.path)
        let pages = try await queue.read {
            try Int.fetchAll(
                $0, sql: "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", arguments: [name])
        }
        try queue.close()
        let page = pages[pages.count / 2]
        let file = try FileHandle(forUpdating: directory.database)
        try file.seek(toOffset: UInt64(page - 1) * 4_096)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096))
        try file.close()
        let faults = try DatabaseInspector.damage(of: directory.database, isDeep: false)
        #expect(faults.count == 1, "\(faults)")
        if name == "test_rows" {
            #expect(faults.first?.hasPrefix("table test_rows: damaged; the rows between rowid") == true, "\(faults)")
        } else {
            #expect(
                faults.first?.hasPrefix("index test_filling of table test_rows: damaged; no row is lost") == true, "\(faults)")
        }
    }
}
