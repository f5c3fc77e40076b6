import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("The scenarios, asked through the API")
struct ScenarioTests {
    @Test("empty: nobody can sign in")
    func empty() async throws {
        try await FixtureScene.with("empty") { scene in
            await #expect(throws: UnexpectedAnswer.self) { try await scene.person("ada") }
        }
    }

    @Test("strangers: each is in the other's deck")
    func strangers() async throws {
        try await FixtureScene.with("strangers") { scene in
            let (ada, ben) = (try await scene.person("ada"), try await scene.person("ben"))
            #expect(try await ada.items("/matches/suggestions").map { $0["id"]?.string } == [ben.own])
            #expect(try await ben.items("/matches/suggestions").map { $0["id"]?.string } == [ada.own])
            #expect(try await ada.items("/likes").isEmpty)
        }
    }

    @Test("liked: a like of Ada's makes the match")
    func liked() async throws {
        try await FixtureScene.with("liked") { scene in
            let (ada, ben) = (try await scene.person("ada"), try await scene.person("ben"))
            #expect(try await ada.items("/likes").map { $0["user"]?["id"]?.string } == [ben.own])
            #expect(try await ada.items("/matches").isEmpty)
            let swipe: JSONValue = ["target_id": .string(try await ben.own), "action": "like"]
            let answer = try await ada.answer("POST", "/api/v1/swipes", token: ada.token, body: swipe)
            #expect(try answer.expected(200).json["match"] != .null)
        }
    }

    @Test("matched: a match with a chat of 50 messages")
    func matched() async throws {
        try await FixtureScene.with("matched") { scene in
            let (ada, ben) = (try await scene.person("ada"), try await scene.person("ben"))
            #expect(try await ada.items("/matches").map { $0["user"]?["id"]?.string } == [ben.own])
            let conversation = try await ada.items("/conversations").first?["id"]?.string ?? ""
            let messages = try await ben.items("/conversations/\(conversation)/messages?limit=100")
            #expect(messages.count == 50)
            let (first, second) = (try await ada.own, try await ben.own)
            let senders = messages.compactMap { message in message["seq"]?.integer.map { ($0, message["from"]?.string ?? "") } }
            #expect(senders.count == 50 && senders.allSatisfy { $0.1 == ($0.0 % 2 == 1 ? first : second) })
        }
    }

    @Test("blocked: neither sees the other, a third person sees both")
    func blocked() async throws {
        try await FixtureScene.with("blocked") { scene in
            let (ada, ben, cleo) = (try await scene.person("ada"), try await scene.person("ben"), try await scene.person("cleo"))
            #expect(try await ada.items("/blocks").count == 1)
            #expect(try await ben.items("/blocks").isEmpty)
            #expect(try await ben.items("/conversations").isEmpty)
            #expect(try await ben.answer("GET", "/api/v1/users/\(ada.own)", token: ben.token, body: nil).status == 404)
            #expect(
                Set(try await cleo.items("/matches/suggestions").compactMap { $0["id"]?.string }) == [
                    try await ada.own, try await ben.own,
                ])
        }
    }

    @Test("busy: 30,000 swipes, none of whose people is in the deck", .timeLimit(.minutes(20)))
    func busy() async throws {
        try await FixtureScene.with("busy") { scene in
            let ada = try await scene.person("ada")
            let export = try await ada.answer("GET", "/api/v1/me/export", token: ada.token, body: nil).expected(200)
            let swipes = export.json["tables"]?["matching_swipes"]?.array ?? export.json["matching_swipes"]?.array ?? []
            #expect(swipes.count == 30_000)
            let deck = try await ada.items("/matches/suggestions?limit=50")
            #expect(deck.map { $0["name"]?.string } == ["Ben"])
            let found = try await SparkProcess.run(["check", "--data", scene.spark.directory])
            #expect(found.status == 0, "\(found.output) \(found.errors)")
        }
    }

    @Test("spam: five accounts, four open reports, the same text again and again")
    func spam() async throws {
        try await FixtureScene.with("spam") { scene in
            let reports = try await SparkProcess.run(["report", "list", "--json", "--data", scene.spark.directory])
            #expect(reports.status == 0)
            let listed = try JSONParser.parse(Array(reports.output.utf8))
            #expect((listed["items"]?.array ?? listed["reports"]?.array ?? listed.array ?? []).count == 4)
            let cleo = try await scene.person("cleo")
            let lines = try await cleo.items("/conversations").compactMap { $0["last_message"]?["text"]?.string }
            #expect(Set(lines).count <= 1)
            #expect(try await cleo.items("/likes").count == 2)
        }
    }

    @Test("closed: Cleo is hidden, and signing in brings her back")
    func closed() async throws {
        try await FixtureScene.with("closed") { scene in
            let ada = try await scene.person("ada")
            #expect(try await ada.items("/matches").isEmpty)
            #expect(try await ada.items("/matches/suggestions").map { $0["name"]?.string } == ["Ben"])
            let cleo = try await scene.person("cleo")
            #expect(try await cleo.call("GET", "/api/v1/me")["name"] == "Cleo")
            #expect(try await ada.items("/matches").count == 1)
        }
    }

    @Test("town: a thousand people around Ada and Ben, with chats of their own")
    func town() async throws {
        try await FixtureScene.with("town") { scene in
            let (ada, ben) = (try await scene.person("ada"), try await scene.person("ben"))
            #expect(try await ada.items("/matches/suggestions?limit=50").count == 50)
            #expect(try await ben.items("/matches/suggestions?limit=50").count == 50)
            let found = try await SparkProcess.run(["check", "--data", scene.spark.directory])
            #expect(found.status == 0, "\(found.output) \(found.errors)")
        }
    }

    @Test("a file is a scenario too; what is wrong with one is said before anything starts")
    func files() async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let file = "\(folder)/two.yaml"
            try "summary: Two\npeople: {eva: {}, kim: {}}\nlikes: [{from: eva, to: kim}]\n".write(
                toFile: file, atomically: true, encoding: .utf8)
            try await FixtureScene.with(file) { scene in
                let likes = try await scene.person("kim").items("/likes")
                #expect(likes.count == 1)
            }
            try "summary: Two\npeople: {eva: {gender: x}}\n".write(toFile: file, atomically: true, encoding: .utf8)
            let wrong = try await SparkProcess.run(["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--scenario", file])
            #expect(wrong.status == 78 && wrong.output.isEmpty)
            #expect(wrong.errors.contains("people.eva.gender: expected one of woman, man, nonbinary, found \"x\""))
            let missing = try await SparkProcess.run(["serve", "--ephemeral", "--scenario", "\(folder)/none.yaml"])
            #expect(missing.status == 73)
        }
        let unknown = try await SparkProcess.run(["serve", "--ephemeral", "--scenario", "machted"])
        #expect(unknown.status == 64)
        #expect(unknown.errors.contains("empty, strangers, liked, matched, blocked, busy, spam, closed, town"))
        #expect(unknown.errors.contains("Did you mean matched?"))
        let lasting = try await SparkProcess.run(["serve", "--scenario", "matched", "--data", "/nonexistent/x"])
        #expect(lasting.status == 64 && lasting.errors.contains("--ephemeral"))
    }
}
