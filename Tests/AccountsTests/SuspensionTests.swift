import Foundation
import SparkAccounts
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Suspending an account")
struct SuspensionTests {
    private let hidden = "SELECT COUNT(*) FROM probe_people WHERE closed = 1"

    private func suspend(_ grant: Grant, on server: TestServer, reason: String = "spam") async throws {
        let result = try await server.operate("user.suspend", ["user": .string(grant.user), "reason": .string(reason)])
        #expect(result["state"]?.string == "suspended")
    }

    @Test("a suspended person is hidden at once, signed out everywhere, and refused with the right password")
    func suspends() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            try await suspend(grant, on: server)
            #expect(try await server.storage.number(hidden) == 1)
            for token in [grant.access, other.access] { #expect(try await server.status(with: token) == 401) }
            for token in [grant.refresh, other.refresh] { #expect(try await server.refresh(token).status == 401) }
            let right = try await server.logIn()
            #expect(right.status == 403 && right.code == "auth.suspended")
            let wrong = try await server.logIn("ada@example.org", "wrong horse")
            #expect(wrong.status == 401 && wrong.code == "accounts.credentials_refused", "only the owner learns it")
            #expect(
                try await server.events() == [
                    "accounts.user_registered", "accounts.account_suspended", "accounts.session_revoked",
                    "accounts.session_revoked",
                ])
            await #expect(throws: (any Error).self, "no token is issued, either") {
                try await server.port((any TokenIssuing).self).issueToken(for: try #require(UserID(wire: grant.user)))
            }
        }
    }

    @Test("suspending twice keeps the time, changes the reason and is announced once; restoring twice does nothing")
    func twice() async throws {
        try await withServer { server in
            let grant = try await server.register()
            try await suspend(grant, on: server)
            server.clock.advance(by: .hours(1))
            try await suspend(grant, on: server, reason: "scam")
            let shown = try await server.operate("user.show", ["user": "ada@example.org"])
            #expect(shown["suspended_at"]?.string == "2026-03-01T12:00:00.000Z" && shown["suspension_reason"]?.string == "scam")
            #expect(shown["state"]?.string == "suspended" && shown["sessions"]?.integer == 0)
            for wasSuspended in [true, false] {
                let restored = try await server.operate("user.restore", ["user": .string(grant.user)])
                #expect(restored["was_suspended"]?.bool == wasSuspended && restored["state"]?.string == "open")
            }
            #expect(try await server.storage.number(hidden) == 0)
            #expect(try await server.logIn().status == 200)
            #expect(try await server.status(with: grant.access) == 401, "old sessions stay ended")
            let names = try await server.events().filter { $0.contains("suspended") || $0.contains("restored") }
            #expect(names == ["accounts.account_suspended", "accounts.account_restored"])
        }
    }

    @Test("closing and suspending do not undo each other")
    func closedToo() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            try await suspend(grant, on: server)
            #expect(try await server.logIn().code == "auth.suspended", "a login does not undo the deletion")
            let restored = try await server.operate("user.restore", ["user": .string(grant.user)])
            #expect(restored["state"]?.string == "closed")
            #expect(try await server.storage.number(hidden) == 1, "hidden until its owner is back")
            #expect(try await server.logIn().status == 200)
            #expect(try await server.storage.number(hidden) == 0)
        }
    }

    @Test("a deleted account is erased at the end of its grace period although it is suspended")
    func erasedAtTheEnd() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            try await suspend(grant, on: server)
            server.clock.advance(by: .days(31))
            try await server.runOutbox()
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users") == 0)
        }
    }

    @Test("signing out ends every session and nothing else")
    func signsOut() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            let result = try await server.operate("user.sign-out", ["user": "ADA@example.org"])
            #expect(result["sessions_ended"]?.integer == 2)
            for token in [grant.access, other.access] { #expect(try await server.status(with: token) == 401) }
            #expect(try await server.logIn().status == 200)
        }
    }

    @Test("an operator's erasure is immediate and permanent, and the identifier is remembered")
    func erases() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.operate("user.erase", ["user": .string(grant.user)])
            for table in ["accounts_users", "accounts_sessions", "accounts_refresh_tokens", "accounts_resets", "probe_people"] {
                #expect(try await server.storage.number("SELECT COUNT(*) FROM \(table)") == 0, "\(table)")
            }
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_erased") == 1)
            #expect(try await server.logIn().code == "accounts.credentials_refused")
            #expect(try await server.events().last == "accounts.account_erased")
            try await server.runOutbox()
            #expect(
                try await server.storage.number("SELECT COUNT(*) FROM spark_outbox") == 0, "the job of the outbox finds nothing")
            await #expect {
                try await server.operate("user.erase", ["user": .string(grant.user)])
            } throws: { $0 is any ClientError }
        }
    }

    @Test("after an erasure no file of the running server holds a word of the person")
    func leavesNoWord() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "spark-erasure-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await withServer(TestServer.start([AccountsModule.self, ProbeModule.self], directory: directory)) { server in
            let word = Data("quilthaven".utf8)
            let grant = try await server.register(["email": "quilthaven@example.org"])
            func files() throws -> [String] {
                try FileManager.default.subpathsOfDirectory(atPath: directory).filter { name in
                    let bytes = try? Data(contentsOf: URL(filePath: directory).appending(path: name))
                    return bytes?.range(of: word) != nil
                }
            }
            #expect(try !files().isEmpty)
            _ = try await server.operate("user.erase", ["user": .string(grant.user)])
            #expect(try files() == [])
        }
    }

    @Test("people are found by identifier and by the beginning of their address; every look leaves a line without it")
    func finds() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.register(["email": "b_b@example.org"])
            for text in [grant.user, "ada@example.org", "AD", "a"] {
                let found = try await server.operate("user.find", ["text": .string(text)])
                #expect(found["items"]?.array?.map { $0["id"]?.string } == [grant.user], "\(text)")
            }
            for text in ["%", "bab", "usr_0000000000001", "\u{10FFFF}"] {
                #expect(try await server.operate("user.find", ["text": .string(text)])["items"]?.array == [], "\(text)")
            }
            let lines = try await server.storage.read { try $0.values("SELECT subjects FROM spark_audit", as: String.self) }
            #expect(lines == Array(repeating: grant.user, count: 4) + Array(repeating: "", count: 4))
        }
    }

    @Test("a refused action leaves no line; unknown and malformed members are refused")
    func refusals() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let user = JSONValue.string(grant.user)
            for (action, members) in [
                ("user.suspend", ["user": "nobody@example.org"]), ("user.suspend", ["user": user, "reason": "Free Text"]),
                ("user.suspend", ["user": user, "why": "x"]), ("user.suspend", [:]), ("user.suspend", []),
                ("user.show", ["user": 7]), ("user.find", ["text": "a", "limit": 0]), ("user.fly", ["user": user]),
            ] as [(String, JSONValue)] {
                await #expect("\(action) \(members)") {
                    try await server.operate(action, members)
                } throws: { $0 is any ClientError }
            }
            #expect(try await server.storage.number("SELECT COUNT(*) FROM spark_audit") == 0)
            #expect(try await server.status(with: grant.access) == 200)
        }
    }
}
