import Spark
import SparkCore
import SparkFixture
import SparkTestSupport
import Testing

@Suite("Snapshots of a server for tests")
struct SnapshotTests {
    private static let paris = Coordinate(latitude: 48.8566, longitude: 2.3522)

    private func ask(
        _ server: TestServer, _ path: String, _ body: String? = nil, token: String? = nil
    ) async throws -> TestAnswer {
        try await server.call("POST", "/__test__/\(path)", token: token ?? server.adminToken, json: body)
    }

    private func snapshot(_ server: TestServer) async throws -> String {
        let answer = try await ask(server, "snapshot").expected(200)
        return answer.json["snapshot"]?.string ?? ""
    }

    private func restore(_ server: TestServer, _ id: String) async throws {
        try await ask(server, "restore", #"{"snapshot":"\#(id)"}"#).expected(200)
    }

    /// Four people, two of them matched, with some history.
    private func crew(_ server: TestServer) async throws -> [Person<TestServer>] {
        let ada = try await server.person("Ada", at: Self.paris)
        let ben = try await server.person("Ben", gender: "man", at: Self.paris)
        let cleo = try await server.person("Cleo", at: Self.paris)
        let dan = try await server.person("Dan", gender: "man", at: Self.paris)
        let conversation = try await server.match(ada, ben)
        for number in 1...5 { try await server.say("hello \(number)", to: conversation, by: number % 2 == 0 ? ada : ben) }
        try await server.swipe(cleo, ada)
        try await server.swipe(dan, cleo, "pass")
        return [ada, ben, cleo, dan]
    }

    @Test("stay while they are in use, however many are made")
    func inUse() async throws {
        try await withServer(TestServer.fixture()) { server in
            let base = try await snapshot(server)
            let idle = try await snapshot(server)
            for _ in 0..<36 {
                try await restore(server, base)
                _ = try await snapshot(server)
            }
            try await restore(server, base)
            let answer = try await ask(server, "restore", #"{"snapshot":"\#(idle)"}"#)
            #expect(answer.status == 404 && answer.json["code"] == "fixture.unknown_snapshot")
        }
    }

    @Test("and resets have every person that is made beside them as a whole, or not at all")
    func wholePeople() async throws {
        try await withServer(TestServer.fixture()) { server in
            @Sendable func refusals(of count: Int) async throws -> Int {
                var refused = 0
                for _ in 0..<count {
                    let answer = try await server.steer(
                        "POST", "/users", ["location": ["latitude": 48.85, "longitude": 2.35], "about": "Hello"])
                    refused += answer.status == 201 ? 0 : 1
                }
                return refused
            }
            let first = Task { try await refusals(of: 60) }
            var ids: [String] = []
            while ids.count < 10 { ids.append(try await snapshot(server)) }
            #expect(try await first.value == 0)
            for id in ids {
                try await restore(server, id)
                let counts = try await server.storage.read { session in
                    try session.rows("SELECT COUNT(*), COUNT(cell), TOTAL(about <> '') FROM profiles_users WHERE closed = 0") {
                        [$0.integer(0), $0.integer(1), $0.integer(2)]
                    }
                }
                #expect(Set(counts[0]).count == 1, "\(counts)")
            }
            let second = Task { try await refusals(of: 40) }
            for _ in 0..<10 { try await ask(server, "reset").expected(204) }
            #expect(try await second.value == 0)
        }
    }

    /// One act that changes something.
    private func act(_ chance: inout SplitMix64, _ people: [Person<TestServer>], _ server: TestServer) async throws {
        let person = people[Int(chance.next() % UInt64(people.count))]
        let other = people[Int(chance.next() % UInt64(people.count))]
        server.clock.advance(by: .seconds(Int(chance.next() % 8)))
        switch chance.next() % 13 {
        case 0, 1: try await server.swipe(person, other, ["like", "pass", "superlike", "skip"][Int(chance.next() % 4)])
        case 2: _ = try await server.call("POST", "/blocks", person, ["target_id": .string(other.id.wire)])
        case 3: _ = try await server.call("DELETE", "/swipes/last", person)
        case 4: _ = try await server.call("PATCH", "/me", person, ["bio": .string("text \(chance.next() % 100)")])
        case 5:
            _ = try await server.call(
                "PUT", "/me/location", person,
                ["latitude": .number(48.8 + Double(chance.next() % 100) / 1_000), "longitude": 2.35])
        case 6:
            _ = try await server.call(
                "PUT", "/me/devices/phone", person, ["provider": "log", "token": .string("t\(chance.next() % 9)")])
        case 7: _ = try await server.call("PUT", "/me/notifications", person, ["quiet_hours": .null])
        case 8: _ = try await server.person("New", at: Self.paris)
        case 9: _ = try await server.call("POST", "/auth/logout", person)
        case 10: _ = try await server.call("DELETE", "/me", person, ["password": .string(Credentials.password)])
        default:
            let list = try await server.call("GET", "/conversations", person).json["items"]?.array ?? []
            guard let id = list.first?["id"]?.string.flatMap({ ConversationID(wire: $0) }) else { return }
            try await server.send("hello again \(chance.next() % 50)", to: id, by: person)
        }
    }

    @Test(
        "a restore brings back every answer of everybody, whatever happened since, and the database is sound",
        arguments: 1...6 as ClosedRange<UInt64>)
    func exact(seed: UInt64) async throws {
        try await withServer(TestServer.start(sparkModules, seed: seed)) { server in
            let people = try await crew(server)
            var chance = SplitMix64(seed: seed)
            var kept: [(id: String, time: Timestamp, answers: AllAnswers)] = []
            for _ in 0..<5 {
                let time = server.clock.now()
                let answers = try await AllAnswers(of: people)
                kept.append((try await snapshot(server), time, answers))
                for _ in 0..<12 { try await act(&chance, people, server) }
                let place = kept[Int(chance.next() % UInt64(kept.count))]
                try await restore(server, place.id)
                server.clock.advance(by: place.time - server.clock.now())
                let again = try await AllAnswers(of: people)
                #expect(again == place.answers, "seed \(seed): \(again.differences(from: place.answers))")
                #expect(try server.check() == [])
                for _ in 0..<4 { try await act(&chance, people, server) }
            }
        }
    }

    @Test("a reset goes back to the start, as often as it is asked for, and snapshots outlive it")
    func reset() async throws {
        try await withServer(TestServer.start(sparkModules)) { server in
            let ada = try await server.person("Ada", at: Self.paris)
            let id = try await snapshot(server)
            for _ in 0..<3 {
                try await ask(server, "reset").expected(204)
                let answer = try await server.call("GET", "/me", ada)
                #expect(answer.status == 401)
                _ = try await server.person("Ben")
            }
            try await restore(server, id)
            try await server.call("GET", "/me", ada).expected(200)
        }
    }

    @Test("limits and idempotency keys go back with the rest")
    func memory() async throws {
        let settings = ["http.writes_per_minute=3", "chat.new_conversations_per_day=1"]
        try await withServer(TestServer.start(sparkModules, settings: settings)) { server in
            let ada = try await server.person("Ada", at: Self.paris)
            let ben = try await server.person("Ben", at: Self.paris)
            let id = try await snapshot(server)
            func swipe() async throws -> TestAnswer {
                try await server.call(
                    "POST", "/api/v1/swipes", token: ada.token, json: #"{"target_id":"\#(ben.id.wire)","action":"like"}"#,
                    headers: ["Idempotency-Key": "one"])
            }
            let first = try await swipe().expected(200)
            try await restore(server, id)
            let second = try await server.call(
                "POST", "/api/v1/swipes", token: ada.token, json: #"{"target_id":"\#(ben.id.wire)","action":"pass"}"#,
                headers: ["Idempotency-Key": "one"]
            ).expected(200)
            #expect(first.headers["ratelimit"] == second.headers["ratelimit"])
        }
    }

    @Test("what is wrong is said: no token, no snapshot, no body, and a clone inside another program")
    func refusals() async throws {
        try await withServer(TestServer.start(sparkModules)) { server in
            #expect(try await ask(server, "snapshot", token: "no").status == 401)
            let unknown = try await ask(server, "restore", #"{"snapshot":"s99"}"#)
            #expect(unknown.status == 404)
            #expect(unknown.json["code"] == "fixture.unknown_snapshot")
            #expect(try await ask(server, "restore", #"{"snapshot":7}"#).status == 422)
            #expect(try await ask(server, "restore").status == 415)
            #expect(try await ask(server, "clone").json["code"] == "fixture.cannot_clone")
        }
    }

    @Test("the newest 32 snapshots are kept")
    func bound() async throws {
        try await withServer(TestServer.start(sparkModules)) { server in
            var ids: [String] = []
            for _ in 0..<34 { ids.append(try await snapshot(server)) }
            #expect(Set(ids).count == 34)
            let body = { (id: String) in #"{"snapshot":"\#(id)"}"# }
            #expect(try await ask(server, "restore", body(ids[1])).status == 404)
            #expect(try await ask(server, "restore", body(ids[2])).status == 200)
        }
    }

    @Test("requests during restores are answered by one state or the other, and never fail without a reason")
    func underway() async throws {
        try await withServer(TestServer.start(sparkModules)) { server in
            let people = try await crew(server)
            let before = try await AllAnswers(of: people)
            let id = try await snapshot(server)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in people {
                    group.addTask {
                        for number in 0..<60 {
                            let change = try await server.call("PATCH", "/me", person, ["bio": .string("v\(number)")])
                            #expect([200, 503].contains(change.status), "\(change.status) \(change.body)")
                            let read = try await server.call("GET", "/me", person)
                            #expect(read.status == 200)
                        }
                    }
                }
                group.addTask { for _ in 0..<15 { try await restore(server, id) } }
                try await group.waitForAll()
            }
            try await restore(server, id)
            let again = try await AllAnswers(of: people)
            #expect(again == before, "\(again.differences(from: before))")
            #expect(try server.check() == [])
        }
    }
}
