import Foundation
import SparkAccounts
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Registration")
struct RegistrationTests {
    @Test("an account comes with tokens, the self-portrait and its participants' rows")
    func registers() async throws {
        try await withServer { server in
            let answer = try await server.call("POST", "/api/v1/auth/register", json: registration(["name": " Ada "]))
            #expect(answer.status == 201)
            #expect(answer.json["user"]?["name"] == "Ada")
            #expect(answer.json["token_type"] == "Bearer")
            #expect(answer.json["expires_in"] == 900)
            #expect(answer.headers["cache-control"] == "no-store")
            let grant = try Grant(answer)
            #expect(try await server.status(with: grant.access) == 200)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM probe_people WHERE closed = 0") == 1)
            #expect(try await server.events() == ["accounts.user_registered"])
        }
    }

    @Test("without a participant the user is the account itself")
    func portraitWithoutParticipants() async throws {
        try await withServer(modules: [AccountsModule.self]) { server in
            let answer = try await server.call(
                "POST", "/api/v1/auth/register", json: registration(["email": "  Ada@Example.ORG "]))
            #expect(answer.json["user"]?["email"] == "ada@example.org")
            #expect(answer.json["user"]?["id"]?.string.flatMap { UserID(wire: $0) } != nil)
        }
    }

    @Test("a participant's refusal leaves nothing behind")
    func rollsBack() async throws {
        try await withServer { server in
            let answer = try await server.call("POST", "/api/v1/auth/register", json: registration(["name": "Refused"]))
            #expect(answer.status == 500)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users") == 0)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_sessions") == 0)
            #expect(try await server.storage.number("SELECT COUNT(*) FROM probe_people") == 0)
            #expect(try await server.events() == [])
        }
    }

    @Test("an e-mail address belongs to one account, however it is written")
    func emailIsUnique() async throws {
        try await withServer { server in
            _ = try await server.register()
            for email in ["ada@example.org", "ADA@example.org", "\tAda@Example.Org\n"] {
                let answer = try await server.call(
                    "POST", "/api/v1/auth/register", json: registration(["email": .string(email)]))
                #expect(answer.status == 409)
                #expect(answer.code == "accounts.email_taken")
            }
        }
    }

    @Test("of simultaneous registrations of one e-mail address exactly one wins")
    func emailRace() async throws {
        try await withServer { server in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await server.call("POST", "/api/v1/auth/register", json: registration()).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [201] + Array(repeating: 409, count: 7))
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users") == 1)
        }
    }

    @Test("an address that is taken costs the same work and leaves nothing behind")
    func takenAlike() async throws {
        try await withServer { server in
            _ = try await server.register()
            let refused = try await server.call(
                "POST", "/api/v1/auth/register", json: registration(["name": "Eve"]), address: "192.0.2.1")
            #expect(refused.code == "accounts.email_taken")
            for table in ["accounts_users", "accounts_sessions", "accounts_known_networks", "probe_people"] {
                #expect(try await server.storage.number("SELECT COUNT(*) FROM \(table)") == 1, "\(table)")
            }
            // The participants are asked first: their refusal comes before that of the address.
            let invalid = try await server.call("POST", "/api/v1/auth/register", json: registration(["name": "Refused"]))
            #expect(invalid.status == 500)
            #expect(try await server.events() == ["accounts.user_registered"])
        }
    }

    @Test(
        "one network registers a bounded number of people a day, others have their own bound; a fixture has ten thousand times as many"
    )
    func dailyLimit() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-daily-\(SystemRandomSource().next())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let settings = ["accounts.registrations_per_day=2"]
        try await withServer(TestServer.start([AccountsModule.self], settings: settings, directory: folder.path)) { server in
            func register(_ name: String, from address: String) async throws -> TestAnswer {
                try await server.call(
                    "POST", "/api/v1/auth/register", json: registration(["email": .string("\(name)@example.org")]),
                    address: address)
            }
            #expect(try await register("a", from: "2001:db8::1").status == 201)
            #expect(try await register("a", from: "2001:db8::2").status == 409)
            let refused = try await register("b", from: "2001:db8::3")
            #expect(refused.status == 429 && refused.code == "accounts.too_many_registrations")
            #expect(refused.headers["retry-after"] == "86400")
            #expect(try await register("b", from: "2001:db8:0:1::3").status == 201)
            server.clock.advance(by: .days(1))
            #expect(try await register("c", from: "2001:db8::3").status == 201)
        }
        try await withServer(["accounts.registrations_per_day=1"]) { server in
            for number in 0..<20 { _ = try await server.register(["email": .string("p\(number)@example.org")]) }
        }
    }

    @Test("a request repeated with its idempotency key gets the same account")
    func idempotency() async throws {
        try await withServer { server in
            let headers = ["Idempotency-Key": "k-1"]
            let first = try await server.call("POST", "/api/v1/auth/register", json: registration(), headers: headers)
            let second = try await server.call("POST", "/api/v1/auth/register", json: registration(), headers: headers)
            #expect(first.status == 201)
            #expect(second.status == 201)
            #expect(first.json == second.json)
        }
    }

    @Test("a person is of age on the birthday itself, in UTC")
    func ageGate() async throws {
        try await withServer { server in
            let tomorrow = try await server.call(
                "POST", "/api/v1/auth/register", json: registration(["birth_date": "2008-03-02"]))
            #expect(tomorrow.status == 422)
            #expect(tomorrow.code == "accounts.underage")
            _ = try await server.register(["birth_date": "2008-03-01"])
            server.clock.advance(by: .seconds(43_199))
            let lastSecond = try await server.call(
                "POST", "/api/v1/auth/register", json: registration(["email": "b@example.org", "birth_date": "2008-03-02"]))
            #expect(lastSecond.code == "accounts.underage")
            server.clock.advance(by: .seconds(1))
            _ = try await server.register(["email": "b@example.org", "birth_date": "2008-03-02"])
        }
    }

    @Test("a person born on 29 February is of age on 1 March of a common year")
    func leapDay() async throws {
        try await withServer { server in
            server.clock.advance(by: .seconds(-86_400))
            let born: [String: JSONValue] = ["birth_date": "2008-02-29"]
            let before = try await server.call("POST", "/api/v1/auth/register", json: registration(born))
            #expect(before.code == "accounts.underage")
            server.clock.advance(by: .seconds(86_400))
            _ = try await server.register(born)
        }
    }

    struct BadInput: Sendable, CustomTestStringConvertible {
        let field: String
        let reason: String
        let body: String
        var testDescription: String { "\(field) \(reason): \(body)" }

        init(_ field: String, _ reason: String, _ value: JSONValue) {
            self.field = "/\(field)"
            self.reason = reason
            self.body = registration([field: value])
        }

        init(field: String, _ reason: String, body: String) {
            (self.field, self.reason, self.body) = (field, reason, body)
        }
    }

    static let badInputs: [BadInput] =
        ["email", "password", "name", "birth_date", "gender", "interested_in"].map { (member: String) in
            BadInput(field: "/\(member)", "missing", body: registration(without: member))
        } + [
            BadInput("email", "format", ""), BadInput("email", "format", "ada"), BadInput("email", "format", "@example.org"),
            BadInput("email", "format", "ada@"), BadInput("email", "format", "ada@example"),
            BadInput("email", "format", "ada@@example.org"), BadInput("email", "format", "a@b@example.org"),
            BadInput("email", "format", "a da@example.org"), BadInput("email", "format", "ada@exa mple.org"),
            BadInput("email", "format", "ada@.org"), BadInput("email", "format", "ada@example."),
            BadInput("email", "format", "ada@example..org"), BadInput("email", "format", "ada@-example.org"),
            BadInput("email", "format", "ada\u{0}@example.org"), BadInput("email", "format", "ada\u{7}@example.org"),
            BadInput("email", "format", "ada\u{200B}@example.org"), BadInput("email", "format", "<ada@example.org>"),
            BadInput("email", "format", "ada@example.org,eve@example.org"),
            BadInput("email", "format", .string(String(repeating: "a", count: 65) + "@example.org")),
            BadInput(
                "email", "format",
                .string("a@" + String(repeating: String(repeating: "b", count: 60) + ".", count: 5) + "org")),
            BadInput("email", "type", 7), BadInput("email", "type", .null),
            BadInput("password", "length", "1234567"),
            BadInput("password", "length", .string(String(repeating: "x", count: 129))),
            BadInput("password", "type", 12_345_678), BadInput("password", "format", "12345678\u{0}"),
            BadInput("name", "length", ""), BadInput("name", "length", .string(String(repeating: "x", count: 51))),
            BadInput("name", "format", "   "), BadInput("name", "format", "A\nda"), BadInput("name", "type", ["Ada"]),
            BadInput("birth_date", "range", "2026-03-02"), BadInput("birth_date", "range", "1899-12-31"),
            BadInput("birth_date", "format", "1995-02-29"), BadInput("birth_date", "format", "1995-12-10T00:00:00Z"),
            BadInput("birth_date", "format", "10.12.1995"), BadInput("birth_date", "format", "١٩٩٥-١٢-١٠"),
            BadInput("birth_date", "type", 1995), BadInput("gender", "format", "Woman"), BadInput("gender", "format", ""),
            BadInput("gender", "type", .null), BadInput("interested_in", "length", []),
            BadInput("interested_in", "length", ["woman", "man", "nonbinary", "man"]),
            BadInput("interested_in", "type", "woman"),
            BadInput(field: "/interested_in/1", "duplicate", body: registration(["interested_in": ["man", "man"]])),
            BadInput(field: "/interested_in/0", "format", body: registration(["interested_in": ["men"]])),
            BadInput(field: "/interested_in/0", "format", body: registration(["interested_in": [1]])),
            BadInput(field: "/admin", "unknown", body: registration(["admin": true])),
        ]

    @Test("bad input is refused with its place", arguments: badInputs)
    func badInput(_ input: BadInput) async throws {
        try await withServer { server in
            let answer = try await server.call("POST", "/api/v1/auth/register", json: input.body)
            #expect(answer.status == 422)
            #expect(answer.code == "request.invalid")
            let errors = answer.json["errors"]?.array ?? []
            #expect(
                errors.contains { $0["field"]?.string == input.field && $0["reason"]?.string == input.reason },
                "\(answer.body)")
            #expect(try await server.storage.number("SELECT COUNT(*) FROM accounts_users") == 0)
        }
    }

    @Test(
        "anything but a JSON object is refused", arguments: ["", "{", "[]", "null", "\"x\"", "{\"email\":\"a\",\"email\":\"b\"}"])
    func noObject(_ body: String) async throws {
        try await withServer { server in
            let answer = try await server.call("POST", "/api/v1/auth/register", json: body)
            #expect([400, 422].contains(answer.status))
        }
    }

    @Test("the edges of what is allowed are allowed")
    func edges() async throws {
        try await withServer { server in
            _ = try await server.register([
                "email": "x@y.z", "password": "12345678", "name": "É", "birth_date": "1900-01-01", "gender": "nonbinary",
                "interested_in": ["woman", "man", "nonbinary"],
            ])
            _ = try await server.register([
                "email": .string(String(repeating: "l", count: 60) + "+tag@sub.example.museum"),
                "password": .string(String(repeating: "ü", count: 128)), "name": .string(String(repeating: "漢", count: 50)),
            ])
        }
    }
}
