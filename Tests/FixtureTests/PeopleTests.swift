import Spark
import SparkTestSupport
import Testing

@Suite("People of a fixture")
struct PeopleTests {
    private static let paris: JSONValue = ["latitude": 48.8566, "longitude": 2.3522]

    @Test("are made in one call and are in each other's decks at once")
    func decks() async throws {
        try await withServer(TestServer.fixture()) { server in
            let ada = try await server.made(["location": Self.paris, "bio": "Climbs.", "interests": ["climbing"]])
            let ben = try await server.made(["location": Self.paris, "preferences": ["max_age": 50]])
            for (viewer, other) in [(ada, ben), (ben, ada)] {
                let deck = try await server.call("GET", "/matches/suggestions", viewer).expected(200).json
                #expect(deck["items"]?.array?.compactMap { $0["id"]?.string } == [other.id.wire])
            }
            let own = try await server.call("GET", "/me", ada).json
            #expect(own["about"] == "Climbs." && own["interests"] == ["climbing"] && own["name"] == "Ada")
            #expect(try await server.call("GET", "/me/preferences", ben).json["max_age"] == 50)
        }
    }

    @Test("have the values that the test gives, and the answer shows them")
    func values() async throws {
        try await withServer(TestServer.fixture()) { server in
            let answer = try await server.steer(
                "POST", "/users",
                [
                    "email": "zoe@example.org", "password": "a password of zoe's", "name": "Zoe", "birth_date": "1990-05-05",
                    "gender": "nonbinary", "interested_in": ["man"], "visibility": ["hide_distance": true],
                    "location": Self.paris,
                ])
            let user = try answer.expected(201).json["user"] ?? .null
            #expect(user["name"] == "Zoe" && user["birth_date"] == "1990-05-05" && user["gender"] == "nonbinary")
            #expect(user["visibility"]?["hide_distance"] == true && user["location"]?["latitude"] != nil)
            #expect(answer.json["expires_in"] == 900 && answer.headers["cache-control"] == "no-store")
            let login = try await server.answer(
                "POST", "/api/v1/auth/login", token: nil, body: ["email": "zoe@example.org", "password": "a password of zoe's"])
            #expect(login.status == 200)
        }
    }

    @Test("differ, and are the same on every server")
    func defaults() async throws {
        func people() async throws -> [JSONValue] {
            try await fromServer(TestServer.fixture()) { server in
                var people: [JSONValue] = []
                for _ in 0..<3 {
                    let user = try await server.steer("POST", "/users", [:]).expected(201).json["user"] ?? .null
                    people.append(["name": user["name"] ?? .null, "gender": user["gender"] ?? .null])
                }
                return people
            }
        }
        let first = try await people()
        #expect(Set(first).count == 3)
        #expect(try await people() == first)
    }

    @Test("with an invalid part are refused as the real route does, and leave no account")
    func refusals() async throws {
        try await withServer(TestServer.fixture()) { server in
            let ada = try await server.made()
            let cases: [(parts: JSONValue, method: String, path: String, body: JSONValue)] = [
                (["location": ["latitude": 91, "longitude": 0]], "PUT", "/me/location", ["latitude": 91, "longitude": 0]),
                (["interests": [""]], "PATCH", "/me", ["interests": [""]]),
                (["about": 7], "PATCH", "/me", ["about": 7]),
                (["preferences": 5], "PUT", "/me/preferences", 5),
            ]
            for (parts, method, path, body) in cases {
                guard case .object(let members) = parts else { continue }
                let answer = try await server.steer(
                    "POST", "/users", .object(members + [JSONMember("email", "cleo@example.org")]))
                let real = try await server.call(method, path, ada, body)
                #expect(answer.status == real.status && answer.status >= 400, "\(path)")
                #expect(answer.json["code"] == real.json["code"] && answer.json["errors"] == real.json["errors"], "\(path)")
                #expect(answer.headers["content-type"] == "application/problem+json")
            }
            try await server.steer("POST", "/users", ["email": "cleo@example.org"]).expected(201)
            let taken = try await server.steer("POST", "/users", ["email": "cleo@example.org"])
            #expect(taken.status == 409 && taken.json["code"] == "accounts.email_taken")
            let underage = try await server.steer("POST", "/users", ["birth_date": "2020-01-01"])
            #expect(underage.json["code"] == "accounts.underage")
            let unknown = try await server.steer("POST", "/users", ["nane": "Ada"])
            #expect(unknown.status == 422 && unknown.json["errors"]?[0]?["field"] == "/nane")
        }
    }

    @Test("with a name are found by it, with tokens that work whatever became of the earlier ones")
    func names() async throws {
        try await withServer(TestServer.fixture()) { server in
            let ada = try await server.made(["name_in_test": "ada"])
            let ben = try await server.made(["handle": "ben_2"])
            let first = try await server.steer("GET", "/users/ada").expected(200).json
            #expect(first["id"] == .string(ada.id.wire) && first["access_token"] == .string(ada.token))
            #expect(first["name"] == "ada" && first["email"]?.string?.hasSuffix("@fixture.example") == true)
            #expect(try await server.call("GET", "/me", ada).json["name"] == "Ada")
            #expect(try await server.steer("GET", "/users/ben_2").json["id"] == .string(ben.id.wire))

            // The session ends, and the token expires.
            try await server.call("POST", "/auth/logout", ada).expected(204)
            let second = try await server.steer("GET", "/users/ada").json["access_token"]?.string
            #expect(second != ada.token)
            server.clock.advance(by: .days(400))
            let third = try await server.steer("GET", "/users/ada").expected(200).json["access_token"]?.string
            #expect(third != second)
            #expect(try await server.answer("GET", "/api/v1/me", token: third, body: nil).status == 200)

            // A closed account stays closed.
            try await server.answer(
                "DELETE", "/api/v1/me", token: third, body: ["password": first["password"] ?? .null]
            ).expected(202)
            let closed = try await server.steer("GET", "/users/ada").expected(200).json
            #expect(closed["access_token"] == .null && closed["id"] == .string(ada.id.wire))

            #expect(try await server.steer("GET", "/users/zoe").json["code"] == "fixture.unknown_name")
            for name in ["a b", "", ada.id.wire, String(repeating: "a", count: 65)] {
                #expect(try await server.steer("POST", "/users", ["name_in_test": .string(name)]).status == 422)
            }
        }
    }
}
