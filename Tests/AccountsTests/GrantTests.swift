import Foundation
import SparkAccounts
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Answers with tokens under an idempotency key")
struct GrantTests {
    private let login = #"{"email":"ada@example.org","password":"correct horse battery"}"#

    private func send(_ server: TestServer, _ path: String, _ json: String, key: String = "k") async throws -> TestAnswer {
        try await server.call("POST", "/api/v1/auth/\(path)", json: json, headers: ["Idempotency-Key": key])
    }

    private func accounts(_ server: TestServer) async throws -> Int {
        try await server.storage.number("SELECT COUNT(*) FROM accounts_users")
    }

    @Test("while the tokens work, the same tokens are returned again, and one session is open")
    func alive() async throws {
        try await withServer { server in
            let register = try await send(server, "register", registration())
            #expect(try await send(server, "register", registration()).body == register.body)
            let first = try await send(server, "login", login)
            let again = try await send(server, "login", login)
            #expect(first.status == 200 && again.body == first.body && again.headers["idempotency-replayed"] == "true")
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_sessions") == 2)
            let refresh = #"{"refresh_token":"\#(try Grant(first).refresh)"}"#
            let renewed = try await send(server, "refresh", refresh)
            #expect(renewed.status == 200)
            #expect(try await send(server, "refresh", refresh).body == renewed.body)
        }
    }

    /// The ways to end a person's tokens between a request and its repetition.
    enum End: String, CaseIterable, Sendable {
        case logout, otherSessionsEnd, newPassword, resetPassword, suspension, deletion, erasure, refresh, time

        func happen(to grant: Grant, on server: TestServer) async throws {
            let user: JSONValue = ["user": .string(grant.user)]
            switch self {
            case .logout: #expect(try await server.call("POST", "/api/v1/auth/logout", token: grant.access).status == 204)
            case .otherSessionsEnd:
                let other = try Grant(try await server.logIn())
                #expect(try await server.call("DELETE", "/api/v1/auth/sessions", token: other.access).status == 204)
            case .newPassword:
                let other = try Grant(try await server.logIn())
                let change = #"{"current_password":"correct horse battery","new_password":"battery staple"}"#
                #expect(try await server.call("POST", "/api/v1/auth/password", token: other.access, json: change).status == 204)
            case .resetPassword:
                let link = try await server.operate("user.reset-password", user)["link"]?.string
                let token = try #require(link?.split(separator: "=").last)
                let reset = #"{"token":"\#(token)","password":"battery staple"}"#
                #expect(try await server.call("POST", "/api/v1/auth/reset/confirm", json: reset).status == 204)
            case .suspension: _ = try await server.operate("user.suspend", user)
            case .deletion: #expect(try await server.call("DELETE", "/api/v1/me", token: grant.access).status == 202)
            case .erasure: _ = try await server.operate("user.erase", user)
            case .refresh: #expect(try await server.refresh(grant.refresh).status == 200)
            // Still stored, but the refresh token has expired.
            case .time:
                try await server.storage.write { transaction in
                    try transaction.session.script("UPDATE accounts_refresh_tokens SET expires_at = 1")
                }
            }
        }
    }

    @Test(
        "expired tokens are not returned again, and the request does not take effect again", arguments: End.allCases
    )
    func ended(_ end: End) async throws {
        for path in ["register", "login", "refresh"] {
            try await withServer { server in
                var json = registration()
                if path != "register" { _ = try await server.register() }
                if path == "login" { json = login }
                if path == "refresh" { json = #"{"refresh_token":"\#(try Grant(try await server.logIn()).refresh)"}"# }
                let first = try await send(server, path, json)
                #expect(first.status < 300)
                // The account names the person who refreshed.
                let user = try await server.storage.read { try $0.value("SELECT id FROM accounts_users", as: Int64.self) ?? 0 }
                let grant = try Grant(first, user: UserID(rawValue: user).wire)
                try await end.happen(to: grant, on: server)
                let sessions = try await server.storage.number("SELECT COUNT(*) FROM accounts_sessions")
                let count = try await accounts(server)
                for _ in 0..<2 {
                    let again = try await send(server, path, json)
                    #expect(again.status == 409, "\(path)")
                    #expect(again.code == (end == .erasure ? "idempotency.answer_lost" : "idempotency.answer_ended"), "\(path)")
                    #expect(!again.body.contains(grant.access) && !again.body.contains(grant.refresh))
                }
                #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_sessions") == sessions)
                #expect(try await accounts(server) == count)
            }
        }
    }

    @Test("no part of an answer with tokens is readable in the database, and nothing of it is left when its person is erased")
    func stored() async throws {
        try await withServer { server in
            let grant = try Grant(try await send(server, "register", registration()))
            let kept = try await server.storage.read { try $0.value("SELECT answer FROM spark_idempotency", as: [UInt8].self) }
            let text = String(decoding: try #require(kept), as: UTF8.self)
            for secret in [grant.access, grant.refresh, "ada@example.org"] { #expect(!text.contains(secret)) }
            _ = try await server.operate("user.erase", ["user": .string(grant.user)])
            #expect(try await server.storage.number("SELECT COUNT(*) FROM spark_idempotency") == 1)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM spark_idempotency WHERE answer IS NOT NULL") == 0)
        }
    }

    @Test("a person who undid a deletion by a new login is not told that it is done")
    func reopened() async throws {
        try await withServer { server in
            let grant = try await server.register()
            func delete(_ token: String) async throws -> TestAnswer {
                try await server.call("DELETE", "/api/v1/me", token: token, headers: ["Idempotency-Key": "k"])
            }
            #expect(try await delete(grant.access).status == 202)
            #expect(try await delete(grant.access).status == 401)
            let back = try Grant(try await server.logIn())
            let again = try await delete(back.access)
            #expect(again.status == 422 && again.code == "idempotency.mismatch")
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users WHERE closed_at IS NULL") == 1)
        }
    }

    @Test("a ticket works once, so each request under a key gets its own")
    func tickets() async throws {
        try await withServer { server in
            let grant = try await server.register()
            var tickets: Set<String> = []
            for _ in 0..<2 {
                let answer = try await server.call(
                    "POST", "/api/v1/ws/ticket", token: grant.access, headers: ["Idempotency-Key": "k"])
                #expect(answer.status == 201 && answer.headers["idempotency-replayed"] == nil)
                tickets.insert(try #require(answer.json["ticket"]?.string))
            }
            #expect(tickets.count == 2)
        }
    }
}
