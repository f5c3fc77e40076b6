import Foundation
import SparkCore
import SparkStorage
import Testing

@Suite("The gathered log")
struct GatheredLogTests {
    /// What is stored in a copy of the files that are there now, as after a crash.
    private func idsInCopy(of directory: TemporaryDirectory) async throws -> [Int] {
        let copy = TemporaryDirectory()
        defer { copy.remove() }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.url.path) where !name.hasSuffix("-shm") {
            try FileManager.default.copyItem(at: directory.url.appending(path: name), to: copy.url.appending(path: name))
        }
        let storage = try copy.open()
        let (ids, verdict) = try await storage.read { session in
            (
                try session.values("SELECT id FROM test_rows ORDER BY id", as: Int.self),
                try session.value("PRAGMA integrity_check", as: String.self)
            )
        }
        #expect(verdict == "ok")
        await storage.close()
        return ids
    }

    /// The bytes of rows that SQLite writes to its log before the commit, because they do not fit into its page cache.
    private static let moreThanTheCache = 24 << 20

    @Test("an answered write is in the files, however large", arguments: [1, 40_000, 130_000, 1 << 20, moreThanTheCache])
    func isWritten(bytes: Int) async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        for number in 0..<3 {
            try await storage.write { transaction in
                for part in 0..<max(1, bytes / 10_000) {
                    try transaction.run(
                        "INSERT INTO test_rows (id, filling) VALUES (?, randomblob(?))", number * 10_000 + part,
                        min(bytes, 10_000))
                }
            }
            let ids = try await storage.read { try $0.values("SELECT id FROM test_rows ORDER BY id", as: Int.self) }
            #expect(ids.count == (number + 1) * max(1, bytes / 10_000))
            #expect(try await idsInCopy(of: directory) == ids)
        }
        await storage.close()
    }

    @Test("a large write that fails leaves nothing behind, neither in memory nor in the files")
    func failsLarge() async throws {
        struct Refusal: Error {}
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        for number in 0..<4 {
            await #expect(throws: Refusal.self) {
                try await storage.write { transaction in
                    for part in 0..<Self.moreThanTheCache / 10_000 {
                        try transaction.run("INSERT INTO test_rows (id, filling) VALUES (?, randomblob(10000))", 100_000 + part)
                    }
                    throw Refusal()
                }
            }
            try await storage.write { try $0.run("INSERT INTO test_rows (id, filling) VALUES (?, randomblob(5000))", number) }
            #expect(try await idsInCopy(of: directory) == Array(0...number))
        }
        await storage.close()
    }
}
