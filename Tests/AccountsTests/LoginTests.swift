import SparkAccounts
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Login")
struct LoginTests {
    @Test("the right password opens a session of its own")
    func logsIn() async throws {
        try await withServer { server in
            let registered = try await server.register()
            let answer = try await server.logIn(" ADA@example.org ")
            #expect(answer.status == 200)
            let grant = try Grant(answer)
            #expect(grant.user == registered.user)
            #expect(grant.refresh != registered.refresh)
            #expect(try await server.status(with: grant.access) == 200)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_sessions") == 2)
        }
    }

    @Test("a password typed with combining marks is the same password")
    func normalisesPasswords() async throws {
        try await withServer { server in
            _ = try await server.register(["password": "cafe\u{301} au lait"])
            #expect(try await server.logIn("ada@example.org", "caf\u{E9} au lait").status == 200)
        }
    }

    @Test("unknown address, no password and wrong password look the same")
    func refusesAlike() async throws {
        try await withServer { server in
            _ = try await server.register()
            _ = try await server.register(["email": "demo@example.org"])
            try await server.storage.run(
                "UPDATE accounts_users SET password_hash = NULL WHERE email = 'demo@example.org'")
            var bodies: Set<JSONValue> = []
            for (email, password) in [
                ("ada@example.org", "wrong horse"), ("eve@example.org", "correct horse"), ("demo@example.org", "correct horse"),
                ("no address", "correct horse"), ("ada@example.org", "correct hors"), ("ada@example.org", "correct horse "),
            ] {
                let answer = try await server.logIn(email, password)
                #expect(answer.status == 401)
                #expect(answer.code == "accounts.credentials_refused")
                guard case .object(let members) = answer.json else { continue }
                bodies.insert(.object(members.filter { !["request_id", "instance"].contains($0.key) }))
            }
            #expect(bodies.count == 1)
        }
    }

    @Test("ten failures make an address wait, others not, and the time ends it")
    func failureLimit() async throws {
        try await withServer { server in
            _ = try await server.register()
            _ = try await server.register(["email": "b@example.org"])
            for _ in 0..<10 { #expect(try await server.logIn("ada@example.org", "wrong horse").status == 401) }
            server.clock.advance(by: .seconds(100))
            let limited = try await server.logIn("Ada@Example.org")
            #expect(limited.status == 429)
            #expect(limited.code == "accounts.too_many_attempts")
            #expect(limited.headers["retry-after"] == "800")
            #expect(try await server.logIn("b@example.org").status == 200)
            server.clock.advance(by: .seconds(799))
            #expect(try await server.logIn().status == 429)
            server.clock.advance(by: .seconds(1))
            #expect(try await server.logIn().status == 200)
        }
    }

    @Test("an address without an account is limited just the same")
    func failureLimitOfUnknown() async throws {
        try await withServer(["accounts.login_failures=2"]) { server in
            for expected in [401, 401, 429] {
                let answer = try await server.logIn("eve@example.org")
                #expect(answer.status == expected)
            }
        }
    }

    @Test("a login that succeeds begins the count anew")
    func successResets() async throws {
        try await withServer(["accounts.login_failures=2"]) { server in
            _ = try await server.register()
            for _ in 0..<5 {
                #expect(try await server.logIn("ada@example.org", "wrong horse").status == 401)
                #expect(try await server.logIn().status == 200)
            }
        }
    }

    @Test("attempts at the same time do not pass the limit together")
    func simultaneousFailures() async throws {
        try await withServer { server in
            _ = try await server.register()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<25 {
                    group.addTask { try await server.logIn("ada@example.org", "wrong horse").status }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [401: 10, 429: 15])
        }
    }

    @Test("a hash made with cheaper parameters is replaced at the next login")
    func rehashes() async throws {
        try await withServer { server in
            _ = try await server.register()
            let weak = try weakHash(of: "correct horse")
            try await server.storage.run("UPDATE accounts_users SET password_hash = '\(weak)'")
            #expect(try await server.logIn().status == 200)
            let strong = "SELECT COUNT(*) FROM accounts_users WHERE password_hash LIKE '$scrypt$ln=4,%'"
            #expect(try await server.storage.number(strong) == 1)
            #expect(try await server.logIn().status == 200)
        }
    }

    @Test("changing the password needs the old one and ends the other sessions")
    func changesPassword() async throws {
        try await withServer { server in
            let first = try await server.register()
            let second = try Grant(try await server.logIn())
            func change(_ old: String, _ new: String) async throws -> TestAnswer {
                let body: JSONValue = ["current_password": .string(old), "new_password": .string(new)]
                return try await server.call(
                    "POST", "/api/v1/auth/password", token: second.access, json: JSONWriter.string(of: body))
            }
            #expect(try await change("wrong horse", "battery staple").code == "accounts.credentials_refused")
            #expect(try await change("correct horse", "short").status == 422)
            #expect(try await server.status(with: first.access) == 200)
            #expect(try await change("correct horse", "battery staple").status == 204)
            #expect(try await server.status(with: first.access) == 401)
            #expect(try await server.refresh(first.refresh).status == 401)
            #expect(try await server.status(with: second.access) == 200)
            #expect(try await server.logIn().status == 401)
            #expect(try await server.logIn("ada@example.org", "battery staple").status == 200)
            #expect(try await server.events().filter { $0 == "accounts.session_revoked" }.count == 1)
        }
    }

    @Test("a stolen access token is no way to guess the password")
    func changingCountsFailures() async throws {
        try await withServer(["accounts.login_failures=3"]) { server in
            let grant = try await server.register()
            let body = #"{"current_password":"wrong horse","new_password":"battery staple"}"#
            for expected in [401, 401, 401, 429] {
                let answer = try await server.call("POST", "/api/v1/auth/password", token: grant.access, json: body)
                #expect(answer.status == expected)
            }
        }
    }
}
