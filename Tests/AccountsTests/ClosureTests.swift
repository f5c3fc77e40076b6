import SparkAccounts
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Closing an account")
struct ClosureTests {
    private let closed = "SELECT COUNT(*) FROM probe_people WHERE closed = 1"

    @Test("deleting hides the person at once and says when everything is erased")
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

    @Test("logging in within the grace period undoes the deletion")
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

    @Test("after the grace period everything is erased and the address is free")
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

    @Test("an account that is closed again gets its full grace period again")
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

    @Test("a session that signed in a while ago needs the password to delete the account")
    func needsProof() async throws {
        try await withServer { server in
            let grant = try await server.register()
            server.clock.advance(by: .seconds(600))
            let fresh = try Grant(try await server.logIn())
            server.clock.advance(by: .seconds(1))
            func delete(_ token: String, _ body: String? = nil) async throws -> TestAnswer {
                try await server.call("DELETE", "/api/v1/me", token: token, json: body)
            }
            let refused = try await delete(grant.access)
            #expect(refused.status == 403 && refused.code == "auth.confirmation_needed")
            #expect(try await delete(grant.access, #"{"password":"wrong horse"}"#).code == "accounts.credentials_refused")
            #expect(try await delete(grant.access, #"{"password":""}"#).status == 422)
            #expect(
                try await delete(fresh.access, #"{"password":"wrong horse"}"#).status == 401, "a proof that is given is checked")
            #expect(try await server.storage.number(closed) == 0)
            #expect(try await delete(grant.access, #"{"password":"correct horse battery"}"#).status == 202)
        }
    }

    @Test("confirming the password makes this session recent again, and no other; refreshing does not")
    func confirms() async throws {
        try await withServer { server in
            var grant = try await server.register()
            let other = try Grant(try await server.logIn())
            server.clock.advance(by: .seconds(800))
            let refreshed = try await server.refresh(grant.refresh)
            grant = try Grant(refreshed)
            func export(_ token: String) async throws -> Int {
                try await server.call("GET", "/api/v1/me/export", token: token).status
            }
            #expect(try await export(grant.access) == 403)
            #expect(try await server.call("HEAD", "/api/v1/me/export", token: grant.access).status == 403)
            func confirm(_ password: String) async throws -> TestAnswer {
                try await server.call(
                    "POST", "/api/v1/auth/confirm", token: grant.access, json: #"{"password":"\#(password)"}"#)
            }
            #expect(try await confirm("wrong horse").code == "accounts.credentials_refused")
            #expect(try await export(grant.access) == 403)
            #expect(try await confirm("correct horse battery").status == 204)
            #expect(try await export(grant.access) == 200)
            #expect(try await export(other.access) == 403)
            server.clock.advance(by: .seconds(-700))
            #expect(try await export(grant.access) == 401, "a token from a clock that was ahead is invalid, so nothing is recent")
            server.clock.advance(by: .seconds(700 + 600))
            grant = try Grant(try await server.refresh(grant.refresh))
            #expect(try await export(grant.access) == 200)
            server.clock.advance(by: .seconds(1))
            #expect(try await export(grant.access) == 403)
        }
    }

    @Test("changing the password also counts as a proof")
    func changingConfirms() async throws {
        try await withServer { server in
            let grant = try await server.register()
            server.clock.advance(by: .seconds(800))
            #expect(try await server.call("DELETE", "/api/v1/me", token: grant.access).status == 403)
            let change = #"{"current_password":"correct horse battery","new_password":"battery staple"}"#
            #expect(try await server.call("POST", "/api/v1/auth/password", token: grant.access, json: change).status == 204)
            #expect(try await server.call("DELETE", "/api/v1/me", token: grant.access).status == 202)
        }
    }

    @Test("the operator's token counts as just signed in")
    func issuedToken() async throws {
        try await withServer { server in
            let user = try #require(UserID(wire: try await server.register().user))
            server.clock.advance(by: .days(1))
            let token = try await server.port((any TokenIssuing).self).issueToken(for: user).token
            #expect(try await server.call("DELETE", "/api/v1/me", token: token).status == 202)
        }
    }

    @Test("an interrupted erasure continues with the rest, cannot be undone, and is announced once")
    func resumes() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let user = try #require(UserID(wire: grant.user))
            for _ in 0..<100 { _ = try await server.logIn() }
            _ = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            server.clock.advance(by: .days(30) + .seconds(1))
            let registry = PersonalDataRegistry(manifests: [AccountsModule.manifest, ProbeModule.manifest])
            // The work of a server that ends after the first step.
            let isUnfinished = try await server.storage.write { transaction in
                try transaction.session.script("UPDATE accounts_users SET erasing_at = 5")
                return try registry.eraseStep(user, in: transaction.session) { true }
            }
            #expect(isUnfinished)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_refresh_tokens") == 69)
            #expect(try server.check() == [])
            server.clock.advance(by: .days(-10))
            #expect(try await server.logIn().status == 401, "a partly erased account cannot be restored")
            server.clock.advance(by: .days(10))
            try await server.runOutbox()
            for table in ["accounts_users", "accounts_sessions", "accounts_known_networks", "probe_people", "spark_outbox"] {
                #expect(try await server.storage.number("SELECT COUNT(*) FROM \(table)") == 0, "\(table)")
            }
            #expect(try await server.events().filter { $0 == "accounts.account_erased" }.count == 1)
        }
    }
}
