import Foundation
import SparkCore
import SparkServer
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkKit

@Suite("The audit log")
struct AuditLogTests {
    /// A store with five lines.
    private func withLog(_ body: (any Storage) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "spark-audit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let storage = try SQLiteStorage(
            StorageConfiguration(file: directory.appending(path: "spark.db"), backupDirectory: nil), migrations: [],
            clock: ManualClock(TestServer.startOfTime))
        do {
            for number in 1...5 { try await append(Int64(number), to: storage) }
            try await body(storage)
        } catch {
            await storage.close()
            throw error
        }
        await storage.close()
    }

    @discardableResult
    private func append(_ user: Int64, to storage: any Storage) async throws -> AuditLine {
        let call = OperatorCall(action: "user.suspend", members: [:], actor: "uid:7", publicURL: "")
        try await storage.write { transaction in
            try call.record([AuditSubject(UserID(rawValue: user)), AuditSubject(#require(CodeWord("spam")))], in: transaction)
        }
        return try #require(call.line)
    }

    private func faults(_ storage: any Storage, head: (seq: Int64, digest: String)? = nil) throws -> [String] {
        try storage.readNow { try AuditLog.faults(in: $0, head: head) }
    }

    /// Changes the table like an attacker who can write to the file.
    private func tamper(_ sql: String, _ storage: any Storage) async throws {
        try await storage.write { transaction in
            let session = transaction.session
            let triggers = try session.rows(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'spark_audit'"
            ) { (name: $0.text(0), sql: $0.text(1)) }
            for trigger in triggers { try session.script("DROP TRIGGER \(trigger.name)") }
            try session.script(sql)
            for trigger in triggers { try session.script(trigger.sql) }
        }
    }

    @Test("each line continues the one before, and anybody can compute its hash")
    func chain() async throws {
        try await withLog { storage in
            let lines = try storage.readNow { try AuditLog.lines(limit: 10, in: $0) }
            #expect(lines.map(\.seq) == [5, 4, 3, 2, 1])
            #expect(lines[4].previous == [UInt8](repeating: 0, count: 32))
            for (newer, older) in zip(lines, lines.dropFirst()) { #expect(newer.previous == older.hash) }
            #expect(lines[0].subjects == [UserID(rawValue: 5).wire, "spam"])
            #expect(try faults(storage) == [])
            #expect(try faults(storage, head: (5, lines[0].digest)) == [])
            #expect(try faults(storage, head: (3, lines[2].digest)) == [], "the note may be behind after a crash")
        }
    }

    @Test(
        "a change of any part of a line is found",
        arguments: [
            "at = at + 1", "actor = 'uid:0'", "action = 'user.show'", "subjects = 'usr_0000000000009 spam'",
            "hash = zeroblob(32)", "previous = zeroblob(32)", "seq = 9",
        ])
    func changed(_ change: String) async throws {
        try await withLog { storage in
            try await tamper("UPDATE spark_audit SET \(change) WHERE seq = 3", storage)
            #expect(try !faults(storage).isEmpty)
        }
    }

    @Test("a removed line is noticed: at the beginning, in the middle and at the end, also after further lines")
    func removed() async throws {
        for (condition, words) in [
            ("seq = 1", "line 1 is missing"), ("seq = 3", "line 3"), ("seq >= 4", "lines 4 to 5"), ("1", "lines 1 to 5"),
        ] {
            try await withLog { storage in
                try await tamper("DELETE FROM spark_audit WHERE \(condition)", storage)
                #expect(try faults(storage).contains { $0.contains(words) }, "\(condition)")
                try await append(6, to: storage)
                #expect(try !faults(storage).isEmpty, "\(condition)")
            }
        }
    }

    @Test("a rewritten end is found by the head that was noted apart")
    func rewritten() async throws {
        try await withLog { storage in
            let head = try #require(try storage.readNow { try AuditLog.lines(limit: 1, in: $0) }.first)
            try await tamper(
                """
                DELETE FROM spark_audit WHERE seq = 5; UPDATE sqlite_sequence SET seq = 4 WHERE name = 'spark_audit'
                """, storage)
            #expect(try faults(storage) == [], "it is consistent in itself")
            #expect(try faults(storage, head: (5, head.digest)).count == 1)
            try await append(9, to: storage)
            #expect(try faults(storage, head: (5, head.digest)).count == 1)
        }
    }

    @Test("the table itself refuses changes, and a missing guard is noticed")
    func guarded() async throws {
        try await withLog { storage in
            for sql in ["UPDATE spark_audit SET actor = 'x'", "DELETE FROM spark_audit"] {
                await #expect(throws: (any Error).self) {
                    try await storage.write { try $0.session.script(sql) }
                }
            }
            #expect(try faults(storage) == [])
            try await storage.write { try $0.session.script("DROP TRIGGER spark_audit_is_not_changed") }
            #expect(try faults(storage).count == 1)
        }
    }

    @Test("a line exists if, and only if, its action was committed")
    func atomic() async throws {
        struct Fault: Error {}
        try await withLog { storage in
            let call = OperatorCall(action: "user.erase", members: [:], actor: "uid:7", publicURL: "")
            await #expect(throws: Fault.self) {
                try await storage.write { transaction in
                    try call.record([], in: transaction)
                    throw Fault()
                }
            }
            #expect(call.line == nil)
            #expect(try storage.readNow { try AuditLog.lines(limit: 10, in: $0) }.count == 5)
            let next = try await append(6, to: storage)
            #expect(next.seq == 6)
            #expect(try faults(storage) == [])
        }
    }

    @Test("code words are short and plain")
    func codeWords() {
        for text in ["spam", "a", "reason-1_b", String(repeating: "x", count: 32)] { #expect(CodeWord(text) != nil, "\(text)") }
        for text in ["", "Spam", "a b", "é", "a.b", "a@b", String(repeating: "x", count: 33)] {
            #expect(CodeWord(text) == nil, "\(text)")
        }
    }
}
