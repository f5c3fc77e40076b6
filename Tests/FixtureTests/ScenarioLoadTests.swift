import Spark
import SparkCore
import SparkFixture
import SparkTestSupport
import Testing

@Suite("Loading a scenario")
struct ScenarioLoadTests {
    @Test("a refused step is named with the answer")
    func refused() async throws {
        let text = """
            summary: x
            people: {ada: {}, ben: {email: not an address}}
            """
        let scenario = try Scenario(name: "x.yaml", file: "x.yaml", text: text)
        let error = await #expect(throws: ScenarioLoader.Refused.self) {
            let server = try await TestServer.start(sparkModules, scenario: ScenarioLoader(scenario))
            await server.stop()
        }
        #expect(error?.description == "scenario x.yaml: ben registers: 422 request.invalid")
    }

    @Test("people have what the file says, and a reset brings them back")
    func people() async throws {
        let text = """
            summary: x
            people:
              ada: {name: Ada L, birth_date: 1990-01-31, about: I count, interests: [sewing], place: {latitude: 59.33, longitude: 18.07}}
              ben: {gender: man, place: null}
            matches: [{between: [ada, ben], messages: [{from: ben, text: Hello}]}]
            """
        let scenario = try Scenario(name: "x.yaml", file: "x.yaml", text: text)
        try await withServer(TestServer.start(sparkModules, scenario: ScenarioLoader(scenario))) { server in
            func logIn(_ name: String) async throws -> String {
                let answer = try await server.call(
                    "POST", "/api/v1/auth/login", json: #"{"email":"\#(name)@example.org","password":"\#(Credentials.password)"}"#
                )
                return try answer.expected(200).json["access_token"]?.string ?? ""
            }
            for _ in 0..<2 {
                let ada = try await server.call("GET", "/api/v1/me", token: logIn("ada")).json
                #expect(ada["name"] == "Ada L" && ada["about"] == "I count" && ada["interests"] == ["sewing"])
                let ben = try await logIn("ben")
                #expect(try await server.call("GET", "/api/v1/me", token: ben).json["location"] == .null)
                let id = try await server.call("GET", "/api/v1/conversations", token: ben).json["items"]?[0]?["id"]?.string
                let chat = try await server.call("GET", "/api/v1/conversations/\(id ?? "")/messages", token: ben).json["items"]
                #expect(chat?.array?.map { $0["text"] } == ["Hello"])
                _ = try await server.call("POST", "/api/v1/auth/logout", token: ben)
                _ = try await server.call("DELETE", "/api/v1/matches/x", token: ben)
                let answer = try await server.call("POST", "/__test__/reset", token: server.adminToken)
                try answer.expected(204)
            }
        }
    }

    @Test("a crowd is the same for the same file: at the same time in everything, later in all but the times")
    func crowd() throws {
        let scenario = try Scenario(name: "x", file: "x.yaml", text: "summary: x\ntown: {people: 200, seed: 5, radius_km: 10}")
        func people(_ time: Timestamp) throws -> [DemoPerson] {
            let town = try #require(ScenarioLoader(scenario).town(at: time))
            return (0..<town.count).map(town.person)
        }
        let (first, again) = (try people(TestServer.startOfTime), try people(TestServer.startOfTime))
        let later = try people(TestServer.startOfTime + .days(40))
        #expect(first.count == 200)
        let middle = try #require(Coordinate(latitude: 48.8566, longitude: 2.3522))
        for (index, person) in first.enumerated() {
            #expect(person.id == again[index].id && person.lastActiveAt == again[index].lastActiveAt)
            #expect(person.name == later[index].name && person.place == later[index].place && person.email == later[index].email)
            // The corner of the square.
            #expect(person.place.distance(to: middle).metres < 14_500)
        }
    }
}
