import NotesModule
import Spark
import SparkClient
import Testing

@Suite("A module from another package")
struct NotesModuleTests {
    private func register(_ name: String, gender: String, interestedIn: String, on url: String) async throws -> (
        SparkClient, String
    ) {
        let client = SparkClient(url: url)
        let answer = try await client.call(
            "POST", "/api/v1/auth/register",
            json: [
                "email": .string("\(name)@example.org"), "password": "correct horse battery", "name": .string(name),
                "birth_date": "1990-05-05", "gender": .string(gender), "interested_in": [.string(interestedIn)],
            ] as JSONValue)
        let token = try #require(answer["access_token"]?.string)
        return (client.authenticated(with: token), try #require(answer["user"]?["id"]?.string))
    }

    @Test("adds a table, a route and a subscription through Spark.start, without touching Spark")
    func works() async throws {
        let spark = try await Spark.start(modules: sparkModules + [NotesModule.self])
        let (ada, adaID) = try await register("ada", gender: "woman", interestedIn: "man", on: spark.listening.url)
        let (ben, benID) = try await register("ben", gender: "man", interestedIn: "woman", on: spark.listening.url)
        _ = try await ada.call("POST", "/api/v1/notes", json: ["text": "Buy milk"] as JSONValue)
        #expect(try await ada.call("GET", "/api/v1/notes")["items"] == ["Buy milk"])
        await #expect(throws: SparkProblem.self) { _ = try await ada.call("POST", "/api/v1/notes", json: [:] as JSONValue) }

        _ = try await ada.call("POST", "/api/v1/swipes", json: ["target_id": .string(benID), "action": "like"] as JSONValue)
        _ = try await ben.call("POST", "/api/v1/swipes", json: ["target_id": .string(adaID), "action": "like"] as JSONValue)
        var notes = JSONValue.null
        for _ in 0..<1_000 {
            notes = try await ben.call("GET", "/api/v1/notes")["items"] ?? .null
            if notes != [] { break }
        }
        #expect(notes == ["You have a match!"])
        #expect(try await ada.call("GET", "/api/v1/me/export")["notes_notes"]?.array?.contains("Buy milk") == true)
        #expect(try await ada.call("GET", "/openapi.json")["paths"]?["/api/v1/notes"]?["post"] != nil)
        try await spark.stop()
    }
}
