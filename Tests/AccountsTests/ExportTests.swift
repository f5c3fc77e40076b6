import Foundation
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkAccounts

@Suite("The export of a person")
struct ExportTests {
    @Test("it holds everything but secrets, each table once, for any number of rows")
    func exports() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.register(["email": "b@example.org", "name": "Bob"])
            _ = try await server.refresh(grant.refresh)
            let answer = try await server.call("GET", "/api/v1/me/export", token: grant.access)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json" && answer.headers["cache-control"] == "no-store")
            #expect(answer.json["exported_at"] == "2026-03-01T12:00:00.000Z")
            #expect(answer.body.hasPrefix(#"{"exported_at":"#))
            #expect(answer.json["accounts_users"]?[0]?["email"] == "ada@example.org")
            #expect(answer.json["accounts_users"]?[0]?["id"]?.string == grant.user)
            #expect(answer.json["accounts_sessions"]?[0]?["label"] == "tests/1.0")
            #expect(answer.json["accounts_refresh_tokens"]?.array?.count == 2)
            #expect(answer.json["accounts_known_networks"]?.array?.count == 1)
            #expect(answer.json["probe_people"] == [["name": "Ada"]])
            #expect(answer.json["spark_inbox"] == [])
            for word in ["scrypt", "hash", grant.refresh, grant.access, "Bob", "b@example.org", "127.0.0.1"] {
                #expect(!answer.body.contains(word), "\(word)")
            }
        }
    }

    @Test("every session and every token is in it once, however many pages they fill")
    func manyRows() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let user = try #require(UserID(wire: grant.user))
            try await server.storage.write { transaction in
                for session in 1...3_000 {
                    try transaction.session.run(
                        """
                        INSERT INTO accounts_sessions (id, user_id, created_at, last_used_at, label) VALUES (?1, ?2, 1, 9000000000000, '')
                        """, session, user.rawValue)
                    for token in 0..<(session % 3 == 0 ? 0 : session % 3 + (session == 1 ? 5_000 : 0)) {
                        try transaction.session.run(
                            """
                            INSERT INTO accounts_refresh_tokens (token_hash, session_id, issued_at, expires_at)
                            VALUES (randomblob(32), ?, ?, ?)
                            """, session, token, token % 7)
                    }
                }
            }
            let json = try await server.call("GET", "/api/v1/me/export", token: grant.access).json
            let sessions = try #require(json["accounts_sessions"]?.array).compactMap { $0["id"]?.string }
            #expect(sessions.count == 3_001 && Set(sessions).count == 3_001)
            let tokens = try #require(json["accounts_refresh_tokens"]?.array)
            #expect(tokens.count == 8_001)
            let first = SessionID(rawValue: 1).wire
            let issued = tokens.filter { $0["session_id"]?.string == first }.compactMap { $0["issued_at"]?.string }
            #expect(Set(issued).count == 5_001)
        }
    }

    @Test("asking only for its head costs nothing, and a person has a daily number of exports")
    func daily() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let limit = try #require(AdmissionLimits.standard[.exports].perPersonDay)
            #expect(limit >= 5)
            for _ in 0..<(limit + 5) {
                let head = try await server.call("HEAD", "/api/v1/me/export", token: grant.access)
                #expect(head.status == 200 && head.body.isEmpty)
            }
            for _ in 0..<limit {
                #expect(try await server.call("GET", "/api/v1/me/export", token: grant.access).status == 200)
            }
            let refused = try await server.call("GET", "/api/v1/me/export", token: grant.access)
            #expect(refused.status == 429 && refused.code == "admission.exports")
            let other = try await server.register(["email": "b@example.org"])
            #expect(try await server.call("GET", "/api/v1/me/export", token: other.access).status == 200)
        }
    }

    /// A table with rows of a kilobyte; every second one is another person's.
    private static let table = TableDeclaration.userLinked(
        "big_rows",
        exportPage: { session, user, page in
            try session.statement("SELECT id, owner, text FROM big_rows WHERE id > ?1 ORDER BY id")
                .forEach([page.after.first ?? .integer(0)]) { row in
                    guard row.integer(1) == user.rawValue else { return page.pass([.integer(row.integer(0))]) }
                    return page.append(JSONValue.string(row.text(2)), at: [.integer(row.integer(0))])
                }
        },
        eraseStep: TableDeclaration.step("DELETE FROM big_rows WHERE id IN (SELECT id FROM big_rows WHERE owner = ?1 LIMIT ?2)"),
        erase: { session, user in try session.run("DELETE FROM big_rows WHERE owner = ?", user) })
    private static let empty = TableDeclaration.userLinked("big_empty", export: { _, _ in [] }, erase: { _, _ in })
    private let registry = PersonalDataRegistry(manifests: [
        ModuleManifest(id: "big", summary: "", tables: [Self.empty, Self.table, .plain("big_plain")])
    ])

    private func withBigTable(_ rows: Int, _ body: (any Storage) throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "spark-export-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        var configuration = StorageConfiguration(file: directory.appending(path: "big.db"), backupDirectory: nil)
        configuration.isDurable = false
        let storage = try SQLiteStorage(
            configuration,
            migrations: [Migration("big.001", sql: "CREATE TABLE big_rows (id INTEGER PRIMARY KEY, owner INTEGER, text TEXT)")],
            clock: ManualClock(Timestamp(milliseconds: 0)))
        try storage.bulkWrite { session in
            try session.script("BEGIN")
            for id in 1...rows {
                try session.run(
                    "INSERT INTO big_rows VALUES (?, ?, ?)", id, id % 2 + 1, "\(id) " + String(repeating: "x", count: 1_000))
            }
            try session.script("COMMIT")
        }
        try body(storage)
        await storage.close()
    }

    @Test("a page is bounded in bytes and in rows it looks at; rows that stay come once, whatever happens between pages")
    func pages() async throws {
        try await withBigTable(20_000) { storage in
            var position = ExportPosition()
            var text: [UInt8] = []
            var pages = 0
            while let piece = try storage.readNow({
                try registry.exportPiece(of: UserID(rawValue: 1), at: &position, from: $0, maximumBytes: 65_536)
            }) {
                #expect(piece.count < 65_536 + 2_048)
                text += piece
                pages += 1
                try storage.bulkWrite { session in
                    try session.run("DELETE FROM big_rows WHERE id IN (2, 19998)")
                    try session.run("INSERT INTO big_rows VALUES (?, 1, 'new')", 30_000 + pages)
                    try session.run("INSERT INTO big_rows VALUES (?, 1, 'past')", -pages)
                }
                if pages > 500 { break }
            }
            #expect(pages > 100 && pages < 400)
            let json = try JSONParser.parse(Array("{".utf8) + text.dropFirst() + Array("}".utf8))
            #expect(json["big_empty"] == [])
            let ids = try #require(json["big_rows"]?.array).compactMap { $0.string?.split(separator: " ").first }
            let old = ids.filter { $0 != "new" && $0 != "past" }.compactMap { Int($0) }
            #expect(old == Array(stride(from: 2, through: 20_000, by: 2)).filter { $0 != 19_998 })
            // A person without a row among very many rows: pages are empty, not endless.
            position = ExportPosition()
            pages = 0
            while try storage.readNow({
                try registry.exportPiece(of: UserID(rawValue: 9), at: &position, from: $0, maximumBytes: 65_536)
            }) != nil { pages += 1 }
            #expect((4...7).contains(pages))
            #expect(
                try storage.readNow { try registry.export(UserID(rawValue: 9), from: $0) } == ["big_empty": [], "big_rows": []])
        }
    }

    @Test("an erasure in steps removes a bounded number at a time and leaves others' rows")
    func steps() async throws {
        try await withBigTable(1_000) { storage in
            var steps = 0
            while try storage.bulkWrite({ try registry.eraseStep(UserID(rawValue: 1), in: $0) { true } }) { steps += 1 }
            #expect(steps == 15)
            #expect(try storage.readNow { try $0.value("SELECT count(*) FROM big_rows", as: Int.self) } == 500)
            #expect(try storage.readNow { try $0.value("SELECT count(*) FROM big_rows WHERE owner = 1", as: Int.self) } == 0)
        }
    }

    private func permit(_ admission: Admission) throws -> AdmissionPermit {
        try admission.permit(for: .exports, person: UserID(rawValue: 1))
    }

    @Test("nothing is read before the client takes it; the end of the session ends it; the permit is returned either way")
    func lazy() async throws {
        let admission = Admission(limits: .standard, clock: ManualClock(Timestamp(milliseconds: 0)))
        let reads = Mutex(0)
        let isOpen = Mutex(true)
        func export() throws -> PersonalExport {
            PersonalExport(
                at: Timestamp(milliseconds: 0), metrics: AccountsMetrics(), permit: try permit(admission),
                isOpen: { isOpen.withLock { $0 } },
                read: { position, _ in
                    reads.withLock { $0 += 1 }
                    return (Array(",\"t\":[]".utf8), position)
                })
        }
        var run: PersonalExport? = try export()
        #expect(throws: AdmissionRefused.self) { _ = try export() }
        #expect(try await run?.next() == Array(#"{"exported_at":"1970-01-01T00:00:00.000Z""#.utf8))
        #expect(reads.withLock { $0 } == 0)
        _ = try await run?.next()
        #expect(reads.withLock { $0 } == 1)
        isOpen.withLock { $0 = false }
        let broken = try #require(run)
        await #expect(throws: PersonalExport.BrokenOff.self) { _ = try await broken.next() }
        #expect(reads.withLock { $0 } == 1)
        #expect(admission.used(.exports) == 0)
        run = nil
        isOpen.withLock { $0 = true }
        do {
            let dropped = try export()
            _ = try await dropped.next()
            #expect(admission.used(.exports) == 1)
        }
        #expect(admission.used(.exports) == 0, "a client that goes away")
    }
}
