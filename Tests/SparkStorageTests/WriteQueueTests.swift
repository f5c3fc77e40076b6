import Foundation
import SparkCore
import SparkStorage
import Synchronization
import Testing

@Suite("The write queue")
struct WriteQueueTests {
    @Test("a failed write undoes itself and no other")
    func failsAlone() async throws {
        try await withStorage { storage in
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        do {
                            try await storage.write { transaction in
                                try transaction.session.run("INSERT INTO test_rows (id) VALUES (?)", number)
                                if number % 3 == 0 { throw Refusal() }
                            }
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                var successes = 0
                for await succeeded in group where succeeded { successes += 1 }
                return successes
            }
            let rows = try await storage.read { try $0.values("SELECT id FROM test_rows ORDER BY id", as: Int.self) }
            #expect(rows == (0..<400).filter { $0 % 3 != 0 })
            #expect(outcomes == rows.count)
        }
    }

    @Test("an answered write is seen by the next read, through the pool and through a point read")
    func readsItsWrites() async throws {
        try await withStorage { storage in
            for number in 1...50 {
                try await storage.write { try $0.session.script("INSERT INTO test_rows (id) VALUES (\(number))") }
                let pooled = try await storage.read { try $0.value("SELECT MAX(id) FROM test_rows", as: Int.self) }
                let pointed = try await storage.pointRead { reader in
                    try reader.row("SELECT id FROM test_rows WHERE id = ?1", number) { $0.integer(0) }
                }
                #expect(pooled == number)
                #expect(pointed == Int64(number))
            }
        }
    }

    @Test("events are published after the commit, in the order of writes, and never for a failed write")
    func eventsAfterCommit() async throws {
        try await withStorage { storage in
            let heard = Heard()
            storage.observeCommits(heard)
            for number in 0..<20 {
                try? await storage.write { transaction in
                    transaction.publish(Happened(number: number))
                    if number % 2 == 1 { throw Refusal() }
                }
            }
            #expect(heard.numbers == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
        }
    }

    @Test("effects run after their commit and before its answer, in one order with the events, and are announced before it")
    func effectsAfterCommit() async throws {
        try await withStorage { storage in
            let heard = Heard()
            storage.observeCommits(heard)
            try await storage.write { transaction in
                transaction.afterCommit { heard.note("first") }
                transaction.publish(Happened(number: 1))
                transaction.afterCommit { heard.note("last") }
            }
            #expect(heard.lines == ["in transaction", "prepare 3", "first", "event", "last"])
            try? await storage.write { transaction in
                transaction.afterCommit { heard.note("never") }
                throw Refusal()
            }
            #expect(heard.lines.count == 5)
        }
    }

    @Test("an observer that refuses an event rolls back its write and no other")
    func refusedInTransaction() async throws {
        try await withStorage { storage in
            let heard = Heard(refused: 1)
            storage.observeCommits(heard)
            for number in 0..<3 {
                try? await storage.write { transaction in
                    try transaction.run("INSERT INTO test_rows (id) VALUES (?)", number)
                    transaction.publish(Happened(number: number))
                }
            }
            let rows = try await storage.read { try $0.values("SELECT id FROM test_rows ORDER BY id", as: Int.self) }
            #expect(rows == [0, 2])
            #expect(heard.numbers == [0, 2])
        }
    }

    @Test("a closed store refuses writes with an error that clients understand")
    func closed() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        await storage.close()
        let error = await #expect(throws: StorageError.self) { try await storage.write { _ in } }
        #expect(error?.status == 503)
        #expect(error?.retryAfter != nil)
    }

    @Test("a closed store leaves one file: the WAL is checkpointed and gone")
    func folded() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        try await storage.write { try $0.session.script("INSERT INTO test_rows (id) VALUES (1)") }
        _ = try await storage.pointRead { try $0.row("SELECT id FROM test_rows") { $0.integer(0) } }
        _ = try await storage.read { try $0.value("SELECT id FROM test_rows", as: Int.self) }
        await storage.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.url.path) == ["spark.db"])
    }

    @Test("committed pages are moved from the WAL into the database while the store is open")
    func checkpoints() async throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let storage = try directory.open()
        func size() throws -> Int {
            try FileManager.default.attributesOfItem(atPath: directory.database.path)[.size] as? Int ?? 0
        }
        let before = try size()
        // Forty MiB, more than what calls for a checkpoint; then as long as it takes.
        for number in 0..<100_000 {
            try await storage.write { transaction in
                try transaction.session.run(
                    "INSERT INTO test_rows (id, filling) VALUES (?, zeroblob(?))", number, number < 2_560 ? 16_000 : 10)
            }
            if number > 2_560, try size() > before + 4_000_000 { break }
        }
        #expect(try size() > before + 4_000_000)
        await storage.close()
    }

    @Test("a full disk refuses the write and reading continues")
    func fullDisk() async throws {
        try await withStorage { storage in
            try await storage.write { transaction in
                let pages = try transaction.session.value("PRAGMA page_count", as: Int.self) ?? 0
                try transaction.session.script("PRAGMA max_page_count = \(pages + 8)")
            }
            let error = await #expect(throws: StorageError.self) {
                for number in 0..<200 {
                    try await storage.write { transaction in
                        try transaction.session.run("INSERT INTO test_rows (id, filling) VALUES (?, zeroblob(4000))", number)
                    }
                }
            }
            #expect(error?.code == "storage.full")
            let count = try await storage.read { try $0.value("SELECT COUNT(*) FROM test_rows", as: Int.self) ?? 0 }
            #expect(count < 200)
        }
    }

    @Test("commits wait for the disk: the store runs with synchronous=FULL")
    func synchronous() async throws {
        try await withStorage { storage in
            let mode = try await storage.write { try $0.session.value("PRAGMA synchronous", as: Int.self) }
            #expect(mode == 2)
        }
    }

    @Test("an attachment is written in the transaction of the write that it belongs to")
    func attachment() async throws {
        try await withStorage { storage in
            let attachment = WriteAttachment { try $0.script("INSERT INTO test_rows (id) VALUES (1000)") }
            try? await WriteAttachment.$current.withValue(attachment) {
                try await storage.write { _ in throw Refusal() }
            }
            #expect(try await storage.read { try $0.value("SELECT COUNT(*) FROM test_rows", as: Int.self) } == 0)
            try await WriteAttachment.$current.withValue(attachment) {
                try await storage.write { try $0.session.script("INSERT INTO test_rows (id) VALUES (1)") }
            }
            #expect(try await storage.read { try $0.value("SELECT COUNT(*) FROM test_rows", as: Int.self) } == 2)
        }
    }
}

private struct Refusal: Error {}

private struct Happened: SparkEvent {
    static let name = "test.happened"
    let number: Int
}

/// Writes down what it is shown.
private final class Heard: CommitObserver {
    private let state = Mutex<(numbers: [Int], lines: [String])>(([], []))
    private let refused: Int?

    init(refused: Int? = nil) { self.refused = refused }

    /// The numbers of the events that were committed.
    var numbers: [Int] { state.withLock { $0.numbers } }
    var lines: [String] { state.withLock { $0.lines } }

    func note(_ line: String) { state.withLock { $0.lines.append(line) } }

    func inTransaction(_ event: any SparkEvent, _ transaction: WriteTransaction) throws {
        if let event = event as? Happened, event.number == refused { throw Refusal() }
        note("in transaction")
    }

    func willCommit(_ consequences: [Consequence]) { note("prepare \(consequences.count)") }

    func didCommit(_ consequences: [Consequence]) {
        for consequence in consequences {
            switch consequence {
            case .event(let event):
                note("event")
                if let event = event as? Happened { state.withLock { $0.numbers.append(event.number) } }
            case .effect(let effect): effect()
            }
        }
    }
}
