import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkPush

/// A clock that was ahead by three months, and is put back. Every kind of row that holds a time is made under the wrong clock; under the
/// right one life goes on.
@Suite("A clock that was ahead")
struct ClockTests {
    private static let ahead = Duration.days(90)

    private func putBack(_ fixture: Fixture) async throws {
        fixture.server.clock.advance(by: .zero - Self.ahead)
        await fixture.server.lookAtClock()
    }

    @Test("events noted meanwhile are pushed, and so are later ones of the same person and kind")
    func batches() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            fixture.server.clock.advance(by: Self.ahead)
            let (annLater, benLater) = (try await fixture.again(ann), try await fixture.again(ben))
            try await fixture.device(annLater)
            try await fixture.say("from the future", to: conversation, by: benLater)
            await fixture.server.lookAtClock()
            try await putBack(fixture)
            try await fixture.pushGathered()
            #expect(try await fixture.sent().count == 1)
            // The wrong clock has removed their old sessions.
            try await fixture.read(conversation, upTo: 1, by: try await fixture.again(ann))
            try await fixture.say("now", to: conversation, by: try await fixture.again(ben))
            try await fixture.pushGathered()
            #expect(try await fixture.sent().count == 2)
        }
    }

    @Test("an event under the right clock is enough, even if nobody noticed")
    func unnoticed() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            fixture.server.clock.advance(by: Self.ahead)
            let (annLater, benLater) = (try await fixture.again(ann), try await fixture.again(ben))
            try await fixture.device(annLater)
            try await fixture.say("from the future", to: conversation, by: benLater)
            fixture.server.clock.advance(by: .zero - Self.ahead)
            try await fixture.say("now", to: conversation, by: try await fixture.again(ben))
            try await fixture.pushGathered()
            #expect(try await fixture.sent().count == 1)
        }
    }

    @Test("deliveries that were postponed meanwhile are tried again")
    func deliveries() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            fixture.server.clock.advance(by: Self.ahead)
            let (annLater, benLater) = (try await fixture.again(ann), try await fixture.again(ben))
            try await fixture.device(annLater)
            try await fixture.say("from the future", to: conversation, by: benLater)
            fixture.server.clock.advance(by: .seconds(2))
            while try await fixture.module.decider.decideDue() {}
            let provider = ScriptedProvider(.later(reason: "down", after: .minutes(30)), .accepted)
            try await fixture.lane(provider).drain()
            await fixture.server.lookAtClock()
            try await putBack(fixture)
            let lane = try fixture.lane(provider)
            fixture.server.clock.advance(by: .minutes(31))
            try await lane.drain()
            #expect(provider.received.count == 2, "after the provider's half hour")
            #expect(try fixture.count("push_deliveries") == 0)
        }
    }

    @Test("durable jobs that were due at once or were tried before are due; an erasure keeps its announced date")
    func outbox() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, _, _) = try await fixture.pair()
            fixture.server.clock.advance(by: Self.ahead)
            let closed = try await fixture.call("DELETE", "/me", try await fixture.again(ann))
            let eraseAt = try #require(closed.json["erase_at"]?.string)
            try await fixture.server.storage.write { transaction in
                try transaction.enqueue(topic: "test.at_once", payload: [])
                try transaction.enqueue(topic: "test.tried", payload: [])
                try transaction.session.script(
                    "UPDATE spark_outbox SET attempts = 3, available_at = available_at + 3600000 WHERE topic = 'test.tried'")
            }
            await fixture.server.lookAtClock()
            try await putBack(fixture)
            let now = fixture.server.clock.now().milliseconds
            #expect(try fixture.count("spark_outbox WHERE topic LIKE 'test.%' AND available_at <= \(now)") == 2)
            let erasure = try fixture.server.storage.readNow { session in
                try session.value("SELECT available_at FROM spark_outbox WHERE topic NOT LIKE 'test.%'", as: Int64.self)
            }
            #expect(erasure.map { Timestamp(milliseconds: $0).description } == eraseAt, "never earlier than announced")
        }
    }

    @Test("a person who moved meanwhile can move again")
    func places() async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person("Ann")
            fixture.server.clock.advance(by: Self.ahead)
            let later = try await fixture.again(ann)
            let paris: JSONValue = ["latitude": 48.8566, "longitude": 2.3522]
            #expect(try await fixture.call("PUT", "/me/location", later, paris).status == 200)
            await fixture.server.lookAtClock()
            try await putBack(fixture)
            let again = try await fixture.again(ann)
            let versailles: JSONValue = ["latitude": 48.8049, "longitude": 2.1204]
            #expect(try await fixture.call("PUT", "/me/location", again, versailles).status == 200)
        }
    }

    @Test("access tokens that were signed meanwhile are refused, and their sessions go on with new ones")
    func sessions() async throws {
        try await withServer(Fixture()) { fixture in
            fixture.server.clock.advance(by: Self.ahead)
            let person = try await fixture.person()
            let (access, refresh) = (person.token, person.refreshToken)
            await fixture.server.lookAtClock()
            try await putBack(fixture)
            #expect(try await fixture.server.call("GET", "/api/v1/me", token: access).status == 401)
            let renewed = try await fixture.server.call(
                "POST", "/api/v1/auth/refresh", json: "{\"refresh_token\":\"\(refresh)\"}")
            #expect(renewed.status == 200)
            let token = try #require(renewed.json["access_token"]?.string)
            #expect(try await fixture.server.call("GET", "/api/v1/me", token: token).status == 200)
        }
    }

    @Test("a person who opened conversations and swiped meanwhile may do so again")
    func limits() async throws {
        try await withServer(Fixture(settings: ["chat.new_conversations_per_day=1"])) { fixture in
            let ann = try await fixture.person("Ann")
            let (ben, cem) = (try await fixture.person("Ben"), try await fixture.person("Cem"))
            let (first, second) = (try await fixture.match(ann, ben), try await fixture.match(ann, cem))
            fixture.server.clock.advance(by: Self.ahead)
            try await fixture.say("from the future", to: first, by: try await fixture.again(ann))
            await fixture.server.lookAtClock()
            try await putBack(fixture)
            try await fixture.say("now", to: second, by: try await fixture.again(ann))
        }
    }

    @Test("a clock that is behind at the start, as without a battery, loses no session, no push and no account")
    func behind() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            _ = try await fixture.call("DELETE", "/me", try await fixture.person("Cem"))
            try await fixture.say("Hello", to: conversation, by: ben)
            await fixture.server.lookAtClock()
            fixture.server.clock.advance(by: .days(-2_000))
            await fixture.server.lookAtClock()
            fixture.server.clock.advance(by: .days(2_000))
            await fixture.server.lookAtClock()
            try await fixture.server.runOutbox()
            #expect(try fixture.count("accounts_users") == 3, "the closed account has its grace")
            try await fixture.pushGathered()
            #expect(try await fixture.sent().count == 1)
            #expect(try await fixture.call("GET", "/me", ann).status == 200)
        }
    }
}
