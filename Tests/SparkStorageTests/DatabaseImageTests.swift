import Foundation
import SparkCore
import SparkStorage
import Testing

@Suite("Images of the database")
struct DatabaseImageTests {
    /// Runs a test on a store whose data is deleted at the end, with a spatial index.
    private func withStorage(_ body: (SQLiteStorage, TemporaryDirectory) async throws -> Void) async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        var configuration = StorageConfiguration(file: directory.database, backupDirectory: nil)
        configuration.isDurable = false
        let storage = try SQLiteStorage(
            configuration, migrations: [TemporaryDirectory.rows, TemporaryDirectory.places],
            clock: ManualClock(Timestamp(milliseconds: 1_772_366_400_000)))
        try await body(storage, directory)
        await storage.close()
    }

    private static let content = """
        SELECT COUNT(*), COALESCE(SUM(id), 0), COALESCE(SUM(length(filling)), 0), (SELECT COUNT(*) FROM test_places) FROM test_rows
        """

    private func content(_ session: SQLSession) throws -> [Int64] {
        try session.row(Self.content) { [$0.integer(0), $0.integer(1), $0.integer(2), $0.integer(3)] } ?? []
    }

    @Test(
        "any image can be put back at any time; every connection sees it, and the database is sound",
        arguments: 1...4 as ClosedRange<UInt64>)
    func anyOrder(seed: UInt64) async throws {
        try await withStorage { storage, directory in
            var chance = SplitMix64(seed: seed)
            var images: [(image: DatabaseImage, content: [Int64])] = []
            var next = 1
            for step in 0..<120 {
                switch chance.next() % 8 {
                case 0 where images.count < 6:
                    let path = directory.url.appending(path: "image-\(step)").path
                    let image = try await storage.capture(into: path) { true }.image
                    images.append((image, try await storage.read(content)))
                case 1, 2:
                    guard let (image, expected) = images.randomElement(using: &chance) else { continue }
                    try await storage.restore(image) {}
                    #expect(try await storage.read(content) == expected, "seed \(seed), step \(step)")
                    #expect(try await storage.pointRead(content) == expected)
                    #expect(try await storage.write { try content($0.session) } == expected)
                    let check = try await storage.read { try $0.values("PRAGMA integrity_check", as: String.self) }
                    #expect(check == ["ok"])
                    next =
                        Int(
                            try await storage.read { try $0.value("SELECT COALESCE(MAX(id), 0) FROM test_rows", as: Int64.self) }
                                ?? 0) + 1
                case 3:
                    try await storage.write { try $0.session.run("DELETE FROM test_rows WHERE id % 3 = ?", Int64(step % 3)) }
                case 4: await storage.emptyLog()
                default:
                    let (first, count) = (next, Int(chance.next() % 400))
                    next += count
                    try await storage.write { transaction in
                        for id in first..<(first + count) {
                            try transaction.session.run(
                                "INSERT INTO test_rows (id, filling) VALUES (?, zeroblob(?))", id, id % 300)
                            if id % 9 == 0 {
                                try transaction.session.run(
                                    "INSERT INTO test_places (id, location) VALUES (?, MakePoint(?, 1, 4326))", id,
                                    Double(id % 90))
                            }
                        }
                    }
                }
            }
            #expect(images.count > 1)
        }
    }

    @Test("readers and writers beside restores see whole states only")
    func concurrent() async throws {
        try await withStorage { storage, directory in
            try await storage.write { try $0.session.script("INSERT INTO test_rows (id, filling) VALUES (1, NULL), (2, NULL)") }
            let image = try await storage.capture(into: directory.url.appending(path: "image").path) { true }.image
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        for _ in 0..<200 {
                            // Rows come in pairs.
                            let count = try await storage.read { try $0.value("SELECT COUNT(*) FROM test_rows", as: Int64.self) }
                            #expect((count ?? 1) % 2 == 0)
                            _ = try await storage.pointRead { try $0.value("SELECT COUNT(*) FROM test_rows", as: Int64.self) }
                        }
                    }
                }
                group.addTask {
                    for number in 0..<200 {
                        do {
                            try await storage.write { transaction in
                                for id in [10 + number * 2, 11 + number * 2] {
                                    try transaction.session.run(
                                        "INSERT INTO test_rows (id, filling) VALUES (?, zeroblob(900))", id)
                                }
                            }
                        } catch StorageError.busy {
                            // It waited while the state was replaced.
                        }
                    }
                }
                group.addTask { for _ in 0..<40 { try await storage.restore(image) {} } }
                try await group.waitForAll()
            }
            try await storage.restore(image) {}
            #expect(try await storage.read { try $0.value("SELECT COUNT(*) FROM test_rows", as: Int64.self) } == 2)
        }
    }

    @Test("the database of a server that keeps its data is never replaced; a file goes with its image")
    func bounds() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        let path = directory.url.appending(path: "image").path
        await #expect(throws: StorageError.self) { try await storage.capture(into: path) { true } }
        await storage.close()
        try await withStorage { storage, directory in
            let path = directory.url.appending(path: "image").path
            var image: DatabaseImage? = try await storage.capture(into: path) { true }.image
            #expect(FileManager.default.fileExists(atPath: path))
            #expect((image?.bytes ?? 0) > 4_096)
            image = nil
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }
}
