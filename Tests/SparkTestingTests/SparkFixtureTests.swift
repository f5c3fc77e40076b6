import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import SparkTesting
import Testing

@Suite("A server for a Swift test")
struct SparkFixtureTests {
    private static let places: [SparkFixture.Place] = [.thisProcess, .binary(at: SparkProcess.binary.path)]

    private func name(of client: SparkClient) async throws -> String? {
        try await client.call("GET", "/api/v1/me")["name"]?.string
    }

    @Test("has the people of its scenario, makes others, and forgets them", arguments: places)
    func people(place: SparkFixture.Place) async throws {
        try await SparkFixture.with(scenario: "matched", in: place) { spark in
            let ada = try await spark.person("ada")
            #expect(try await ada.client.call("GET", "/api/v1/me")["id"] == .string(ada.id.wire))
            let start = try await spark.snapshot()
            let pair = try await spark.matchedPair()
            let list = try await pair.first.client.call("GET", "/api/v1/conversations")["items"]?.array
            #expect(list?.map { $0["id"] } == [.string(pair.conversation.wire)])
            let eva = try await spark.add(["name": "Eva"], named: "eva")
            #expect(try await name(of: spark.client(for: "eva")) == "Eva")
            try await spark.restore(start)
            #expect(try await eva.client.send("GET", "/api/v1/me", body: nil).status == 401)
            #expect(try await spark.person("ada").id == ada.id)
            let failure = await #expect(throws: SparkFixture.Failure.self) { try await spark.person("eva") }
            #expect(failure?.description.contains("GET /__test__/users/eva: 404") == true)
        }
    }

    @Test("has a clock and chance that the test moves")
    func clock() async throws {
        try await SparkFixture.with { spark in
            let start = try await spark.clock.freeze()
            #expect(try await spark.clock.advance(by: .days(400)) == start + .days(400))
            #expect(try await spark.clock.set(to: start + .days(401)) == start + .days(401))
            #expect(try await spark.clock.now() == start + .days(401))
            await #expect(throws: SparkFixture.Failure.self) { try await spark.clock.set(to: start) }
            try await spark.reset()
            try await spark.seed(7)
            let first = try await spark.add().id
            let other = try await SparkFixture.with { spark in
                try await spark.seed(7)
                return try await spark.add().id
            }
            #expect(first == other)
        }
    }

    @Test("shows what happened and what was sent, and records an issue for anything else")
    func observed() async throws {
        try await SparkFixture.with(scenario: "matched") { spark in
            let mark = try await spark.mark()
            let pair = try await spark.matchedPair()
            let all = try await spark.expectEvents(
                ["matching.match_created"], since: mark, about: pair.first.id.wire, allowsOthers: true)
            let names = all.map(\.event)
            try await spark.expectEvents(names, since: mark, about: pair.first.id.wire)
            await withKnownIssue {
                try await spark.expectEvents(Array(names.dropLast()), since: mark, about: pair.first.id.wire)
            }
            await withKnownIssue {
                try await spark.expectEvents(
                    ["matching.match_created", "matching.match_created"], since: mark, about: pair.first.id.wire,
                    allowsOthers: true, within: .zero)
            }
            let ada = try await spark.client(for: "ada")
            let ben = try await spark.person("ben")
            _ = try await ben.client.call(
                "PUT", "/api/v1/me/devices/phone", json: ["provider": "log", "token": "t"] as JSONValue)
            let chat = try await ada.call("GET", "/api/v1/conversations")["items"]?[0]?["id"]?.string ?? ""
            _ = try await ada.call(
                "POST", "/api/v1/conversations/\(chat)/messages",
                json: ["client_id": "018f3c1e-7b2a-4c3d-9e4f-5a6b7c8d9e0f", "text": "Hello"] as JSONValue)
            let pushes = try await spark.expectSent(1, .push, to: "ben", within: .seconds(30))
            #expect(pushes.first?.receiver == ben.id.wire && pushes.first?.name == "ben")
            await withKnownIssue { try await spark.expectSent(2, .push, to: "ben", within: .zero) }
            try await spark.clearOutbox()
            try await spark.expectSent(0, .push, within: .zero)
        }
    }

    @Test("lets something go wrong as often as it is asked for")
    func faults() async throws {
        try await SparkFixture.with { spark in
            let ada = try await spark.add()
            try await spark.inject(.diskFull)
            let status = try await ada.client.send("PATCH", "/api/v1/me", json: ["bio": "one"] as JSONValue).status
            #expect(status == 503)
            _ = try await ada.client.call("PATCH", "/api/v1/me", json: ["bio": "two"] as JSONValue)
            try await spark.inject(.diskFull, times: 9)
            try await spark.clearFaults()
            _ = try await ada.client.call("PATCH", "/api/v1/me", json: ["bio": "three"] as JSONValue)
        }
    }

    @Test("as a process it has clones, and is gone after its stop")
    func process() async throws {
        let spark = try await SparkFixture.start(scenario: "strangers", in: .binary(at: SparkProcess.binary.path))
        let ada = try await spark.person("ada")
        let clone = try await spark.clone()
        #expect(try await clone.person("ada").id == ada.id)
        try await clone.add(named: "eva")
        await #expect(throws: SparkFixture.Failure.self) { try await spark.person("eva") }
        try await spark.stop()
        try await spark.stop()
        await #expect(throws: SparkFixture.Failure.self) { try await spark.mark() }
        try await until("the clone ends with its server", every: .milliseconds(50)) {
            (try? await clone.mark()) == nil
        }
    }

    @Test("that cannot start says why, with its log", arguments: places)
    func refused(place: SparkFixture.Place) async throws {
        let failure = await #expect(throws: SparkFixture.Failure.self) {
            try await SparkFixture.start(scenario: "nobody", in: place)
        }
        #expect(failure?.description.contains("nobody") == true)
        let missing = await #expect(throws: SparkFixture.Failure.self) {
            try await SparkFixture.start(in: .binary(at: "/no/spark"))
        }
        #expect(missing?.description.contains("did not start") == true)
    }
}
