import SparkAccounts
import SparkCore
import SparkTestSupport
import Testing

@Suite("A link to a new password")
struct PasswordResetTests {
    private func link(_ server: TestServer) async throws -> String {
        let result = try await server.operate("user.reset-password", ["user": "ada@example.org"])
        let token = try #require(result["token"]?.string)
        #expect(result["link"]?.string == "http://127.0.0.1:7775/reset?token=\(token)")
        return token
    }

    private func confirm(_ token: String, _ password: String = "a new horse", on server: TestServer) async throws -> TestAnswer {
        let body: JSONValue = ["token": .string(token), "password": .string(password)]
        return try await server.call("POST", "/api/v1/auth/reset/confirm", json: JSONWriter.string(of: body))
    }

    @Test("it works once, ends every session, and makes the new password the only one")
    func once() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let token = try await link(server)
            #expect(try await server.status(with: grant.access) == 200, "a link alone changes nothing")
            #expect(try await confirm(token, "short", on: server).status == 422)
            #expect(try await confirm(token, on: server).status == 204)
            #expect(try await server.status(with: grant.access) == 401)
            #expect(try await server.logIn().status == 401)
            #expect(try await server.logIn("ada@example.org", "a new horse").status == 200)
            #expect(try await confirm(token, on: server).code == "accounts.reset_refused")
        }
    }

    @Test("used, replaced, late, foreign and malformed tokens are refused alike")
    func refused() async throws {
        try await withServer(["accounts.reset_link_minutes=60"]) { server in
            _ = try await server.register()
            let (replaced, late) = (try await link(server), try await link(server))
            server.clock.advance(by: .hours(1))
            let used = try await link(server)
            #expect(try await confirm(used, on: server).status == 204)
            var answers: Set<String> = []
            for token in [replaced, late, used, String(repeating: "A", count: 43), "x", String(used.dropLast()), "\u{1F600}"] {
                let answer = try await confirm(token, on: server)
                #expect(answer.status == 400, "\(token)")
                answers.insert(answer.code ?? "")
            }
            #expect(answers == ["accounts.reset_refused"])
        }
    }

    @Test("neither the store nor the export holds the token")
    func hashed() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let token = try await link(server)
            let stored = try await server.storage.number(
                "SELECT COUNT(*) FROM accounts_resets WHERE CAST(token_hash AS TEXT) = '\(token)' OR length(token_hash) <> 32")
            #expect(stored == 0)
            let export = try await server.call("GET", "/api/v1/me/export", token: grant.access)
            #expect(export.json["accounts_resets"]?.array?.count == 1 && !export.body.contains(token))
        }
    }

    @Test("a suspended person can set a password and stays suspended")
    func suspended() async throws {
        try await withServer { server in
            _ = try await server.register()
            let token = try await link(server)
            _ = try await server.operate("user.suspend", ["user": "ada@example.org"])
            #expect(try await confirm(token, on: server).status == 204)
            #expect(try await server.logIn("ada@example.org", "a new horse").code == "auth.suspended")
        }
    }

    @Test("the address of the link is the public one, and its page runs nothing but its own script")
    func address() async throws {
        try await withServer(["server.public_url=https://spark.example/"]) { server in
            _ = try await server.register()
            let result = try await server.operate("user.reset-password", ["user": "ada@example.org"])
            #expect(result["link"]?.string?.hasPrefix("https://spark.example/reset?token=") == true)
            let page = try await server.call("GET", "/reset?token=abc")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(!page.body.contains("abc"))
            #expect(page.headers["content-security-policy"]?.contains("script-src 'sha256-") == true)
            #expect(page.headers["cache-control"] == "no-store")
        }
    }
}
