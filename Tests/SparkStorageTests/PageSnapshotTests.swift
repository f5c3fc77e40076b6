import Foundation
import GRDB
import SparkCore
import SparkStorage
import Testing

@Suite("A snapshot of the pages")
struct PageSnapshotTests {
    private static func pages(of snapshot: PageSnapshot) throws -> Data {
        var bytes = Data(count: snapshot.pageCount * snapshot.pageSize)
        // Page by page, and in runs of several.
        var first = 1
        while first <= snapshot.pageCount {
            let count = min(first % 7 + 1, snapshot.pageCount - first + 1)
            let range = ((first - 1) * snapshot.pageSize)..<((first - 1 + count) * snapshot.pageSize)
            try bytes.withUnsafeMutableBytes {
                try snapshot.read(from: first, into: UnsafeMutableRawBufferPointer(rebasing: $0[range]))
            }
            first += count
        }
        return bytes
    }

    /// The identifiers in the database that the pages make.
    private static func rows(in pages: Data) throws -> [Int] {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        try pages.write(to: directory.database)
        let database = try DatabaseQueue(path: directory.database.path)
        let check = try database.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
        let rows = try database.read { try Int.fetchAll($0, sql: "SELECT id FROM test_rows ORDER BY id") }
        try database.close()
        return check == ["ok"] ? rows : [-1]
    }

    private static func insert(_ range: Range<Int>, into storage: SQLiteStorage) async throws {
        for id in range {
            try await storage.write {
                try $0.session.run(
                    "INSERT INTO test_rows (id, filling) VALUES (?, ?)", id, [UInt8](repeating: UInt8(id % 256), count: 3_000))
            }
        }
    }

    @Test("has every commit before it and none after, wherever the pages are", arguments: [false, true], [false, true])
    func isolation(beginsWithEmptyLog: Bool, emptiesLogMeanwhile: Bool) async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        try await Self.insert(0..<50, into: storage)
        if beginsWithEmptyLog { await storage.emptyLog() }
        let snapshot = try PageSnapshot(of: directory.database)
        #expect((snapshot.position.frame == 0) == beginsWithEmptyLog)
        try await Self.insert(50..<120, into: storage)
        try await storage.write { try $0.session.script("DELETE FROM test_rows WHERE id < 40") }
        if emptiesLogMeanwhile { await storage.emptyLog() }
        try await Self.insert(120..<140, into: storage)
        #expect(try Self.rows(in: Self.pages(of: snapshot)) == Array(0..<50))
        #expect(try snapshot.rowCounts()["test_rows"] == 50)
        #expect(try snapshot.migrations().last == "test.001_rows")
        #expect(snapshot.logBytes > Int64(70 * 3_000))
        snapshot.close()
        // Nothing of it stays: the log can be emptied, and the writer's rows are all there.
        await storage.emptyLog()
        let log = directory.database.path + "-wal"
        #expect(try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int == 0)
        let now = try PageSnapshot(of: directory.database)
        #expect(try Self.rows(in: Self.pages(of: now)) == Array(40..<140))
        now.close()
        await storage.close()
    }

    @Test("leaves the files of a stopped server as they were")
    func untouched() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        try await Self.insert(0..<20, into: storage)
        await storage.close()
        func state() throws -> [String: Data] {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.url.path)
            return try Dictionary(
                uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: directory.url.appending(path: $0))) })
        }
        let before = try state()
        let snapshot = try PageSnapshot(of: directory.database)
        let pages = try Self.pages(of: snapshot)
        snapshot.close()
        #expect(pages == before["spark.db"])
        #expect(try state() == before)
    }

    @Test("of a file that is no database is refused")
    func noDatabase() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        #expect(throws: StorageOpenError.self) { try PageSnapshot(of: directory.database) }
        try Data(repeating: 0x61, count: 8_192).write(to: directory.database)
        #expect(throws: StorageOpenError.self) { try PageSnapshot(of: directory.database) }
    }
}
