import Spark
import SparkTestSupport
import Testing

@Suite("Chance in a fixture")
struct ChanceTests {
    @Test("is the same on two servers after the same seed, whatever it was before")
    func seed() async throws {
        func ids(_ base: UInt64) async throws -> [String] {
            try await fromServer(TestServer.start(sparkModules, seed: base)) { server in
                if base == 2 { _ = try await server.steer("POST", "/users", ["name_in_test": "x"]).expected(201) }
                try await server.steer("POST", "/chance", ["seed": 3]).expected(200)
                let (ada, ben) = (try await server.made(), try await server.made())
                return [ada.id.wire, ben.id.wire, ada.session.wire, ada.refreshToken]
            }
        }
        let (first, second) = (try await ids(1), try await ids(2))
        #expect(first == second)
    }

    @Test("gives what is new after the same seed for a second time, and the same again after a reset")
    func again() async throws {
        try await withServer(TestServer.fixture()) { server in
            func made() async throws -> [String] {
                try await server.steer("POST", "/chance", ["seed": 42]).expected(200)
                let person = try await server.made()
                return [person.id.wire, person.refreshToken]
            }
            let rounds = [try await made(), try await made(), try await made()]
            #expect(Set(rounds.flatMap { $0 }).count == 6)
            try await server.steer("POST", "/reset").expected(204)
            #expect(try await made() == rounds[0])
            #expect(try await made() == rounds[1])
        }
    }

    @Test("has a seed that every language can write exactly", arguments: [-1, 9_007_199_254_740_992])
    func range(_ seed: Int64) async throws {
        try await withServer(TestServer.fixture()) { server in
            let answer = try await server.steer("POST", "/chance", ["seed": .integer(seed)])
            #expect(answer.status == 422 && answer.json["errors"]?[0]?["field"] == "/seed")
        }
    }

    @Test("goes on from a place that was kept")
    func places() {
        let clock = ManualClock(TestServer.startOfTime)
        let hooks = FixtureHooks(random: SeededRandomSource(seed: 1), clock: clock)
        let identifiers = IdentifierGenerator(clock: clock, random: hooks.random)
        hooks.attach(identifiers)
        let branch = hooks.random.branch("accounts")
        hooks.seed(4)
        let place = hooks.chance
        let (user, number): (UserID, UInt64) = (identifiers.next(), branch.next())
        hooks.resume(place)
        #expect(identifiers.next() == user && branch.next() == number)
    }
}
