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
                ("ada@example.org", "wrong horse"), ("eve@example.org", "correct horse battery"),
                ("demo@example.org", "correct horse battery"),
                ("no address", "correct horse battery"), ("ada@example.org", "correct hors"),
                ("ada@example.org", "correct horse "),
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

    /// Waits long enough to happen, and short enough for a test.
    private let shortWait = "accounts.login_wait_milliseconds=5"

    @Test("the owner gets in with the right password after any number of wrong ones from any network")
    func nobodyLocksOut() async throws {
        try await withServer([shortWait]) { server in
            let grant = try await server.register()
            for number in 0..<40 {
                let wrong = try await server.logIn(
                    "Ada@Example.org", "wrong \(number)", from: number < 20 ? nil : "192.0.2.\(number)")
                #expect(wrong.status == 401)
            }
            #expect(try await server.logIn().status == 200)
            #expect(try await server.logIn(from: "198.51.100.7").status == 200)
            let change = #"{"current_password":"correct horse battery","new_password":"battery staple"}"#
            #expect(try await server.call("POST", "/api/v1/auth/password", token: grant.access, json: change).status == 204)
        }
    }

    @Test("a network that fails at many accounts is refused, except at those that it signed in to before")
    func networkLimit() async throws {
        try await withServer([shortWait, "accounts.network_login_failures=5"]) { server in
            _ = try await server.register()
            let stranger = "192.0.2.9"
            for number in 0..<5 {
                #expect(try await server.logIn("p\(number)@example.org", "guess", from: stranger).status == 401)
            }
            server.clock.advance(by: .seconds(100))
            let refused = try await server.logIn("other@example.org", "guess", from: stranger)
            #expect(refused.status == 429 && refused.code == "accounts.too_many_attempts")
            #expect(refused.headers["retry-after"] == "800")
            for number in 0..<20 { _ = try await server.logIn("p\(number)@example.org", "guess") }
            #expect(try await server.logIn("other@example.org", "guess").status == 429)
            #expect(try await server.logIn().status == 200, "the account's own network is never refused")
            server.clock.advance(by: .seconds(800))
            #expect(try await server.logIn("other@example.org", "guess", from: stranger).status == 401)
        }
    }

    @Test("an address without an account is treated just the same")
    func unknownAlike() async throws {
        try await withServer([shortWait, "accounts.login_failures=1", "accounts.network_login_failures=6"]) { server in
            _ = try await server.register()
            var answers: [[Int]] = []
            for (email, network) in [("ada@example.org", "192.0.2.1"), ("eve@example.org", "192.0.2.2")] {
                var statuses: [Int] = []
                for _ in 0..<8 { statuses.append(try await server.logIn(email, "wrong horse", from: network).status) }
                answers.append(statuses)
            }
            #expect(answers[0] == answers[1])
            #expect(answers[0] == Array(repeating: 401, count: 6) + [429, 429])
        }
    }

    @Test("a network becomes an account's own by a login or a refresh, sixteen at most, and the store does not reveal which")
    func knownNetworks() async throws {
        try await withServer([shortWait, "accounts.network_login_failures=1"]) { server in
            let grant = try await server.register()
            let (home, train) = ("198.51.100.1", "198.51.100.2")
            func refuseStrangers(from network: String) async throws {
                for _ in 0..<3 { _ = try await server.logIn("nobody@example.org", "guess", from: network) }
            }
            #expect(try await server.logIn(from: home).status == 200)
            #expect(try await server.refresh(grant.refresh, from: train).status == 200)
            for network in [home, train] {
                try await refuseStrangers(from: network)
                #expect(try await server.logIn(from: network).status == 200)
            }
            try await refuseStrangers(from: "198.51.100.3")
            #expect(try await server.logIn(from: "198.51.100.3").status == 429)
            for number in 0..<20 {
                server.clock.advance(by: .seconds(1))
                #expect(try await server.logIn(from: "203.0.113.\(number)").status == 200)
            }
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_known_networks") == 16)
            #expect(try await server.logIn(from: home).status == 429, "seen longest ago")
            let text = try await server.storage.read { session in
                try session.rows("SELECT * FROM accounts_known_networks") { "\($0.named)" }.joined()
            }
            #expect(!text.contains("203.0.113") && !text.contains("198.51.100"))
        }
    }

    @Test("a successful login resets the count")
    func successResets() async throws {
        try await withServer(["accounts.login_failures=2"]) { server in
            _ = try await server.register()
            for _ in 0..<5 {
                #expect(try await server.logIn("ada@example.org", "wrong horse").status == 401)
                #expect(try await server.logIn().status == 200)
            }
        }
    }

    @Test("only a bounded number of simultaneous attempts are checked and wait; the others are refused for seconds")
    func simultaneousFailures() async throws {
        try await withServer(["accounts.login_wait_milliseconds=2000", "accounts.login_failures=2"]) { server in
            _ = try await server.register()
            let answers = try await withThrowingTaskGroup(of: TestAnswer.self) { group in
                for _ in 0..<12 {
                    group.addTask { try await server.logIn("ada@example.org", "wrong horse") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let refused = answers.filter { $0.status == 429 }
            #expect(answers.filter { $0.status == 401 }.count == 6 && refused.count == 6)
            #expect(refused.allSatisfy { $0.headers["retry-after"] == "2" && $0.json["temporary"] == true })
            #expect(try await server.logIn().status == 200)
        }
    }

    @Test("a hash made with cheaper parameters is replaced at the next login")
    func rehashes() async throws {
        try await withServer { server in
            _ = try await server.register()
            let weak = try weakHash(of: "correct horse battery")
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
            #expect(try await change("correct horse battery", "short").status == 422)
            #expect(try await server.status(with: first.access) == 200)
            #expect(try await change("correct horse battery", "battery staple").status == 204)
            #expect(try await server.status(with: first.access) == 401)
            #expect(try await server.refresh(first.refresh).status == 401)
            #expect(try await server.status(with: second.access) == 200)
            #expect(try await server.logIn().status == 401)
            #expect(try await server.logIn("ada@example.org", "battery staple").status == 200)
            #expect(try await server.events().filter { $0 == "accounts.session_revoked" }.count == 1)
        }
    }

    @Test("a stolen access token does not help to guess the password on any route")
    func stolenToken() async throws {
        try await withServer([shortWait, "accounts.login_failures=3", "accounts.network_login_failures=9"]) { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            let attempts = [
                ("POST", "auth/password", #"{"current_password":"wrong horse","new_password":"battery staple"}"#),
                ("POST", "auth/confirm", #"{"password":"wrong horse"}"#), ("DELETE", "me", #"{"password":"wrong horse"}"#),
            ]
            for round in 0..<4 {
                for (method, path, body) in attempts {
                    let answer = try await server.call(method, "/api/v1/\(path)", token: grant.access, json: body)
                    #expect(answer.status == (round < 3 ? 401 : 429), "\(path), round \(round)")
                }
            }
            #expect(try await server.logIn().status == 200)
            let right = #"{"password":"correct horse battery"}"#
            #expect(try await server.call("POST", "/api/v1/auth/confirm", token: other.access, json: right).status == 204)
        }
    }
}
