import SparkAccounts
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Closing an account")
struct ClosureTests {
    private let closed = "SELECT COUNT(*) FROM probe_people WHERE closed = 1"

    @Test("deleting hides the person at once and says when all is erased")
    func closes() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            let answer = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            #expect(answer.status == 202)
            #expect(answer.json == ["erase_at": "2026-03-31T12:00:00.000Z"])
            #expect(try await server.storage.number(closed) == 1)
            for token in [grant.access, other.access] { #expect(try await server.status(with: token) == 401) }
            for token in [grant.refresh, other.refresh] { #expect(try await server.refresh(token).status == 401) }
            #expect(
                try await server.events() == [
                    "accounts.user_registered", "accounts.session_revoked", "accounts.session_revoked",
                    "accounts.account_closed",
                ])
        }
    }

    @Test("logging in within the grace takes the deletion back")
    func reopens() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            server.clock.advance(by: .days(29))
            #expect(try await server.logIn("ada@example.org", "wrong horse").status == 401)
            #expect(try await server.storage.number(closed) == 1)
            let back = try Grant(try await server.logIn())
            #expect(back.user == grant.user)
            #expect(try await server.storage.number(closed) == 0)
            #expect(try await server.events().last == "accounts.account_reopened")
            server.clock.advance(by: .days(2))
            try await server.runOutbox()
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users") == 1)
            #expect(try await server.logIn().status == 200)
            #expect(try await server.status(with: grant.access) == 401)
        }
    }

    @Test("after the grace everything is erased and the address is free")
    func erases() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.register(["email": "b@example.org"])
            _ = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            server.clock.advance(by: .days(30))
            #expect(try await server.logIn().status == 401)
            server.clock.advance(by: .days(1))
            try await server.runOutbox()
            for table in ["accounts_users", "accounts_sessions", "probe_people"] {
                #expect(try await server.storage.number("SELECT COUNT(*) FROM \(table)") == 1, "\(table)")
            }
            #expect(try await server.storage.number("SELECT COUNT(*) FROM spark_outbox") == 0)
            #expect(try await server.events().last == "accounts.account_erased")
            #expect(try await server.logIn().code == "accounts.credentials_refused")
            let again = try await server.register()
            #expect(again.user != grant.user)
        }
    }

    @Test("an account closed again has its whole grace again")
    func closesAgain() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            server.clock.advance(by: .days(20))
            let back = try Grant(try await server.logIn())
            _ = try await server.call("DELETE", "/api/v1/me", token: back.access)
            server.clock.advance(by: .days(11))
            try await server.runOutbox()
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users") == 1)
            server.clock.advance(by: .days(20))
            try await server.runOutbox()
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users") == 0)
        }
    }

    @Test("two deletions at the same time are one")
    func closesOnce() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            async let first = server.call("DELETE", "/api/v1/me", token: grant.access)
            async let second = server.call("DELETE", "/api/v1/me", token: other.access)
            let statuses = try await [first.status, second.status]
            #expect(statuses.allSatisfy { [202, 401].contains($0) } && statuses.contains(202))
            #expect(try await server.storage.number("SELECT COUNT(*) FROM spark_outbox") == 1)
        }
    }

    @Test("the export holds everything but secrets")
    func exports() async throws {
        try await withServer { server in
            let grant = try await server.register()
            _ = try await server.register(["email": "b@example.org", "name": "Bob"])
            _ = try await server.refresh(grant.refresh)
            let answer = try await server.call("GET", "/api/v1/me/export", token: grant.access)
            #expect(answer.status == 200)
            #expect(answer.json["exported_at"] == "2026-03-01T12:00:00.000Z")
            #expect(answer.json["accounts_users"]?[0]?["email"] == "ada@example.org")
            #expect(answer.json["accounts_users"]?[0]?["id"]?.string == grant.user)
            #expect(answer.json["accounts_sessions"]?[0]?["label"] == "tests/1.0")
            #expect(answer.json["accounts_refresh_tokens"]?.array?.count == 2)
            #expect(answer.json["probe_people"] == [["name": "Ada"]])
            for word in ["scrypt", "hash", grant.refresh, grant.access, "Bob", "b@example.org"] {
                #expect(!answer.body.contains(word), "\(word)")
            }
        }
    }
}
