import SparkAccounts
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Refresh")
struct RefreshTests {
    @Test("a refresh token is exchanged for new tokens")
    func rotates() async throws {
        try await withServer { server in
            let grant = try await server.register()
            server.clock.advance(by: .seconds(60))
            let answer = try await server.refresh(grant.refresh)
            #expect(answer.status == 200)
            #expect(answer.json["expires_in"] == 900)
            #expect(answer.json["user"] == nil)
            let next = try Grant(answer)
            #expect(next.refresh != grant.refresh)
            #expect(next.access != grant.access)
            #expect(try await server.status(with: next.access) == 200)
            #expect(try await server.status(with: grant.access) == 200)
        }
    }

    @Test("a lost answer can be repeated for ten seconds")
    func repeats() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let first = try Grant(try await server.refresh(grant.refresh))
            server.clock.advance(by: .seconds(10))
            let second = try Grant(try await server.refresh(grant.refresh))
            #expect(second.refresh == first.refresh)
            #expect(second.access != first.access)
            #expect(try await server.refresh(first.refresh).status == 200)
        }
    }

    @Test("a used token after the window is reuse and ends the session, not the others")
    func reuse() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            let next = try Grant(try await server.refresh(grant.refresh))
            #expect(try await server.status(with: next.access) == 200)
            server.clock.advance(by: .milliseconds(10_001))
            let reused = try await server.refresh(grant.refresh)
            #expect(reused.status == 401)
            #expect(reused.code == "accounts.refresh_reused")
            #expect(try await server.status(with: next.access) == 401)
            #expect(try await server.status(with: grant.access) == 401)
            #expect(try await server.refresh(next.refresh).code == "accounts.refresh_refused")
            #expect(try await server.refresh(grant.refresh).code == "accounts.refresh_refused")
            #expect(try await server.status(with: other.access) == 200)
            #expect(try await server.refresh(other.refresh).status == 200)
            #expect(try await server.events() == ["accounts.user_registered", "accounts.session_revoked"])
        }
    }

    @Test("a used token whose successor was used is reuse, even within the window")
    func reuseWithinWindow() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let next = try Grant(try await server.refresh(grant.refresh))
            let last = try Grant(try await server.refresh(next.refresh))
            #expect(try await server.refresh(grant.refresh).code == "accounts.refresh_reused")
            #expect(try await server.refresh(last.refresh).code == "accounts.refresh_refused")
        }
    }

    @Test("simultaneous refreshes with one token give one successor")
    func simultaneous() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let successors = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask { try Grant(try await server.refresh(grant.refresh)).refresh }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(successors.count == 1)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_refresh_tokens") == 2)
        }
    }

    @Test("the thirty days restart with each use, and end")
    func slides() async throws {
        try await withServer { server in
            var token = try await server.register().refresh
            for _ in 0..<3 {
                server.clock.advance(by: .days(29))
                token = try Grant(try await server.refresh(token)).refresh
            }
            // Expired tokens are deleted as the chain goes on.
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_refresh_tokens") == 2)
            server.clock.advance(by: .days(30))
            let answer = try await server.refresh(token)
            #expect(answer.status == 401)
            #expect(answer.code == "accounts.refresh_refused")
        }
    }

    @Test(
        "anything but a refresh token of the server is refused",
        arguments: ["x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "!!!!", "AAAA"])
    func unknown(_ token: String) async throws {
        try await withServer { server in
            let answer = try await server.refresh(token)
            #expect(answer.status == 401)
            #expect(answer.code == "accounts.refresh_refused")
        }
    }

    @Test("an access token is not accepted as a refresh token")
    func accessTokenIsNone() async throws {
        try await withServer { server in
            let grant = try await server.register()
            #expect(try await server.refresh(grant.access).status >= 400)
            #expect(try await server.status(with: grant.refresh) == 401)
        }
    }

    @Test("the database holds no token, only hashes")
    func storesHashes() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let question = "SELECT COUNT(*) FROM accounts_refresh_tokens WHERE length(token_hash) = 32"
            #expect(try await server.storage.number(question) == 1)
            let bytes = try #require(tokenBytes(grant.refresh))
            let found = try await server.storage.read { database in
                try TokenSearch.count(of: bytes, in: database)
            }
            #expect(found == 0)
        }
    }
}
