import SparkAccounts
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Sessions")
struct SessionTests {
    @Test("the list shows the open sessions, most recently used first")
    func lists() async throws {
        try await withServer { server in
            let first = try await server.register(agent: "Phone/1.0 (\u{1}weird\u{1F600})  " + String(repeating: "x", count: 99))
            server.clock.advance(by: .seconds(60))
            let second = try Grant(try await server.logIn())
            server.clock.advance(by: .seconds(60))
            _ = try await server.refresh(first.refresh)
            let answer = try await server.call("GET", "/api/v1/auth/sessions", token: second.access)
            #expect(answer.json["next_cursor"] == .null)
            let items = try #require(answer.json["items"]?.array)
            #expect(items.map { $0["current"]?.bool } == [false, true])
            #expect(items[0]["created_at"] == "2026-03-01T12:00:00.000Z")
            #expect(items[0]["last_used_at"] == "2026-03-01T12:02:00.000Z")
            #expect(items[1]["label"] == "unknown")
            let label = try #require(items[0]["label"]?.string)
            #expect(label.hasPrefix("Phone/1.0 (") && label.count == 80)
            #expect(label.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        }
    }

    @Test("logging out ends the session's tokens in the very next request")
    func logsOut() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            #expect(try await server.status(with: grant.access) == 200)
            let answer = try await server.call("POST", "/api/v1/auth/logout", token: grant.access)
            #expect(answer.status == 204)
            #expect(answer.body.isEmpty)
            let refused = try await server.call("GET", "/api/v1/auth/sessions", token: grant.access)
            #expect(refused.status == 401)
            #expect(refused.code == "auth.unauthenticated")
            #expect(try await server.refresh(grant.refresh).code == "accounts.refresh_refused")
            #expect(try await server.status(with: other.access) == 200)
            #expect(try await server.events() == ["accounts.user_registered", "accounts.session_revoked"])
        }
    }

    @Test("a token never seen before its session was revoked is refused too")
    func unseenToken() async throws {
        try await withServer { server in
            let unseen = try await server.register()
            let other = try Grant(try await server.logIn())
            #expect(try await server.call("DELETE", "/api/v1/auth/sessions", token: other.access).status == 204)
            #expect(try await server.status(with: unseen.access) == 401)
            #expect(try await server.status(with: other.access) == 200)
        }
    }

    @Test("one session is revoked by its id; other people's sessions and unknown ones get 404")
    func revokesOne() async throws {
        try await withServer { server in
            let mine = try await server.register()
            let phone = try Grant(try await server.logIn())
            let stranger = try await server.register(["email": "b@example.org"])
            let list = try await server.call("GET", "/api/v1/auth/sessions", token: phone.access)
            let current = try #require(list.json["items"]?.array?.first { $0["current"] == true }?["id"]?.string)
            func revoke(_ id: String, by grant: Grant) async throws -> Int {
                try await server.call("DELETE", "/api/v1/auth/sessions/\(id)", token: grant.access).status
            }
            #expect(try await revoke(current, by: stranger) == 404)
            #expect(try await server.status(with: phone.access) == 200)
            #expect(try await revoke(current, by: mine) == 204)
            #expect(try await server.status(with: phone.access) == 401)
            #expect(try await revoke(current, by: mine) == 404)
            for id in ["ses_0000000000001", "usr_0000000000001", "x", "%00", "ses_"] {
                #expect(try await revoke(id, by: mine) == 404)
            }
            #expect(try await server.status(with: mine.access) == 200)
        }
    }

    @Test("revoking the others keeps the current one")
    func revokesOthers() async throws {
        try await withServer { server in
            let first = try await server.register()
            let second = try Grant(try await server.logIn())
            let third = try Grant(try await server.logIn())
            #expect(try await server.call("DELETE", "/api/v1/auth/sessions", token: second.access).status == 204)
            #expect(try await server.status(with: first.access) == 401)
            #expect(try await server.status(with: second.access) == 200)
            #expect(try await server.status(with: third.access) == 401)
            let list = try await server.call("GET", "/api/v1/auth/sessions", token: second.access)
            #expect(list.json["items"]?.array?.count == 1)
        }
    }

    @Test("dead sessions are neither listed nor kept forever")
    func clearsDead() async throws {
        try await withServer { server in
            _ = try await server.register()
            for _ in 0..<3 { _ = try await server.logIn() }
            server.clock.advance(by: .days(31))
            let grant = try Grant(try await server.logIn())
            let list = try await server.call("GET", "/api/v1/auth/sessions", token: grant.access)
            #expect(list.json["items"]?.array?.count == 1)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_sessions") == 1)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_refresh_tokens") == 1)
        }
    }

    @Test("every route for users refuses callers without a user")
    func needsToken() async throws {
        try await withServer { server in
            for (method, path) in [
                ("POST", "auth/logout"), ("GET", "auth/sessions"), ("DELETE", "auth/sessions"),
                ("DELETE", "auth/sessions/ses_0000000000001"), ("POST", "auth/password"), ("DELETE", "me"), ("GET", "me/export"),
            ] {
                let answer = try await server.call(method, "/api/v1/\(path)")
                #expect(answer.status == 401, "\(method) \(path)")
                #expect(answer.code == "auth.unauthenticated")
            }
        }
    }

    @Test("the operator's token opens a session that cannot be refreshed")
    func issuesTokens() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let issuing = try server.port((any TokenIssuing).self)
            let user = try #require(try await issuing.user(withEmail: "ADA@example.org "))
            #expect(user.wire == grant.user)
            #expect(try await issuing.user(withEmail: "eve@example.org") == nil)
            let (token, expiresAt) = try await issuing.issueToken(for: user)
            #expect(expiresAt == server.clock.now() + .seconds(900))
            let list = try await server.call("GET", "/api/v1/auth/sessions", token: token)
            let current = list.json["items"]?.array?.first { $0["current"] == true }
            #expect(current?["label"] == "token")
            #expect(try await statusOfIssuing(to: UserID(rawValue: 5), by: issuing) == 404)
            _ = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            #expect(try await statusOfIssuing(to: user, by: issuing) == 404)
        }
    }

    private func statusOfIssuing(to user: UserID, by issuing: any TokenIssuing) async throws -> Int {
        do {
            _ = try await issuing.issueToken(for: user)
            return 200
        } catch let error as any ClientError {
            return error.status
        }
    }
}
