import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkPush

/// A lane's reactions to its provider's answers.
@Suite struct DispatchTests {
    /// A message decided, with its delivery waiting.
    private func waiting() async throws -> Fixture {
        let fixture = try await Fixture()
        let (_, ben, conversation) = try await fixture.pair()
        try await fixture.say("Hi", to: conversation, by: ben)
        fixture.server.clock.advance(by: .seconds(2))
        while try await fixture.module.decider.decideDue() {}
        return fixture
    }

    @Test func aTryThatFailedIsRepeatedUnderTheSameIdentifier() async throws {
        try await withServer(waiting()) { fixture in
            let provider = ScriptedProvider(.later(reason: "reset", after: nil), .accepted)
            let lane = try fixture.lane(provider)
            try await lane.drain()
            #expect(provider.received.count == 1)
            try await lane.drain()
            #expect(provider.received.count == 1, "not before its time")
            fixture.server.clock.advance(by: .seconds(1))
            try await lane.drain()
            #expect(provider.received.count == 2)
            #expect(Set(provider.received.map(\.id)).count == 1)
            #expect(Set(provider.received.map(\.collapseID)).count == 1)
            #expect(try fixture.count("push_deliveries") == 0)
        }
    }

    @Test func theProvidersWishIsHonoured() async throws {
        try await withServer(waiting()) { fixture in
            let provider = ScriptedProvider(.later(reason: "429", after: .seconds(90)), .accepted)
            let lane = try fixture.lane(provider)
            try await lane.drain()
            fixture.server.clock.advance(by: .seconds(89))
            try await lane.drain()
            #expect(provider.received.count == 1)
            fixture.server.clock.advance(by: .seconds(2))
            try await lane.drain()
            #expect(provider.received.count == 2)
        }
    }

    @Test func whatNobodyTakesIsGivenUpByAge() async throws {
        try await withServer(waiting()) { fixture in
            let provider = ScriptedProvider(.later(reason: "down", after: nil))
            let lane = try fixture.lane(provider)
            for _ in 0..<30 {
                try await lane.drain()
                fixture.server.clock.advance(by: .hours(1))
            }
            #expect(try fixture.count("push_deliveries") == 0)
            #expect((20...26).contains(provider.received.count))
            #expect(try fixture.server.check().isEmpty)
        }
    }

    @Test func aDeviceThatIsGoneIsForgottenUnlessItCameBackSince() async throws {
        for (since, remain) in [(Duration.seconds(-60), 1), (.seconds(60), 0)] {
            try await withServer(waiting()) { fixture in
                let at = fixture.server.clock.now() + since
                let lane = try fixture.lane(ScriptedProvider(.gone(reason: "Unregistered", since: at)))
                try await lane.drain()
                #expect(try fixture.count("push_devices") == remain)
                #expect(try fixture.count("push_deliveries") == 0)
            }
        }
    }

    @Test func aRefusedPushIsNotTriedAgain() async throws {
        try await withServer(waiting()) { fixture in
            let provider = ScriptedProvider(.refused(reason: "PayloadTooLarge"))
            let lane = try fixture.lane(provider)
            for _ in 0..<3 {
                try await lane.drain()
                fixture.server.clock.advance(by: .minutes(1))
            }
            #expect(provider.received.count == 1)
            #expect(try fixture.count("push_deliveries") == 0)
            #expect(try fixture.count("push_devices") == 1)
        }
    }

    @Test func nothingIsDroppedWhileKeysAreWrong() async throws {
        try await withServer(waiting()) { fixture in
            let provider = ScriptedProvider(.misconfigured(reason: "the key is missing"))
            let lane = try fixture.lane(provider)
            for _ in 0..<10 {
                try await lane.drain()
                fixture.server.clock.advance(by: .minutes(2))
            }
            #expect(try fixture.count("push_deliveries WHERE attempts = 0") == 1)
            provider.answer(.accepted)
            try await lane.drain()
            #expect(try fixture.count("push_deliveries") == 0)
        }
    }

    @Test func whatAProcessLeasedThatIsNoMoreIsGivenBack() async throws {
        try await withServer(waiting()) { fixture in
            #expect(try await fixture.store.lease(.log, limit: 10).count == 1)
            #expect(try await fixture.store.lease(.log, limit: 10).isEmpty)
            try await fixture.store.releaseLeases()
            #expect(try await fixture.store.lease(.log, limit: 10).count == 1)
        }
    }

    @Test func aNewerPushOfTheSameConversationTakesThePlaceOfOneThatWaits() async throws {
        try await withServer(Fixture()) { fixture in
            let (_, ben, conversation) = try await fixture.pair()
            for text in ["One", "Two"] {
                try await fixture.say(text, to: conversation, by: ben)
                fixture.server.clock.advance(by: .seconds(2))
                while try await fixture.module.decider.decideDue() {}
            }
            #expect(try fixture.count("push_deliveries") == 1)

            // While one is under way, the next waits; if the first must be tried again, the next says it all.
            let leased = try #require(try await fixture.store.lease(.log, limit: 10).first)
            try await fixture.say("Three", to: conversation, by: ben)
            fixture.server.clock.advance(by: .seconds(2))
            while try await fixture.module.decider.decideDue() {}
            #expect(try await fixture.store.lease(.log, limit: 10).isEmpty)
            let later = fixture.server.clock.now() + .seconds(1)
            let dropped = try await fixture.store.finish([
                FinishedDelivery(delivery: leased, ending: .later(later, isAttempt: true))
            ])
            #expect(dropped == 1)
            try await fixture.push()
            #expect(try await fixture.bodies() == ["3 new messages"])
            #expect(try fixture.server.check().isEmpty)
        }
    }

    @Test func aProviderThatDoesNotAnswerDelaysNoOther() async throws {
        try await withServer(Fixture()) { fixture in
            let (ann, ben, conversation) = try await fixture.pair()
            let token = String(repeating: "a", count: 64)
            let answer = try await fixture.call("PUT", "/me/devices/tablet", ann, ["provider": "apns", "token": .string(token)])
            #expect(answer.status == 200)
            try await fixture.say("Hi", to: conversation, by: ben)
            fixture.server.clock.advance(by: .seconds(2))
            while try await fixture.module.decider.decideDue() {}
            let (stuck, other) = (StuckProvider(), ScriptedProvider(.accepted))
            let stuckLane = try fixture.lane(stuck, of: .apns)
            let waiting = Task { try await stuckLane.drain() }
            await stuck.isStuck()
            try await fixture.lane(other).drain()
            #expect(other.received.count == 1)
            #expect(try fixture.count("push_deliveries") == 1)
            stuck.release()
            try await waiting.value
            #expect(try fixture.count("push_deliveries") == 0)
        }
    }

    @Test func theMostUrgentLeaveFirst() async throws {
        try await withServer(Fixture()) { fixture in
            let ann = try await fixture.person("Ann")
            try await fixture.device(ann)
            let ben = try await fixture.person("Ben")
            try await fixture.swipe(try await fixture.person("Cleo"), ann)
            let dora = try await fixture.person("Dora")
            let conversation = try await fixture.match(ann, dora)
            try await fixture.say("Hi", to: conversation, by: dora)
            _ = try await fixture.match(ann, ben)
            fixture.server.clock.advance(by: .seconds(2))
            while try await fixture.module.decider.decideDue() {}
            let provider = ScriptedProvider(.accepted)
            try await fixture.lane(provider, concurrency: 1).drain()
            #expect(provider.received.map(\.priority) == provider.received.map(\.priority).sorted(by: >))
            #expect(Set(provider.received.map(\.priority)) == [.high, .medium, .low])
        }
    }

    @Test func aProviderThatFailsRestsAndIsThenTriedWithOnePush() {
        var breaker = CircuitBreaker()
        var now = Timestamp(milliseconds: 0)
        for _ in 0..<4 { breaker.failed(at: now, after: nil, chance: 1) }
        let before = breaker.allowance(of: 10, at: now)
        #expect(before == 10)
        breaker.failed(at: now, after: nil, chance: 1)
        var rests: [Duration] = []
        for _ in 0..<9 {
            let allowed = breaker.allowance(of: 10, at: now)
            #expect(allowed == 0)
            let resumes = breaker.resumesAt ?? now
            rests.append(resumes - now)
            now = resumes
            let trial = breaker.allowance(of: 10, at: now)
            #expect(trial == 1)
            breaker.left(1)
            let meanwhile = breaker.allowance(of: 10, at: now)
            #expect(meanwhile == 0)
            breaker.failed(at: now, after: nil, chance: 1)
        }
        #expect(rests == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        now = breaker.resumesAt ?? now
        breaker.left(1)
        breaker.succeeded()
        let after = breaker.allowance(of: 10, at: now)
        #expect(after == 10)
    }

    @Test func textsFitTheirLanguagesPlurals() {
        #expect(PluralForms("%n nowych", few: "%n nowe").text(3) == "3 nowe")
        #expect(PluralForms("%n nowych", few: "%n nowe").text(13) == "13 nowych")
        #expect(PluralForms("%n new messages").text(150) == "99+ new messages")
        #expect(PushLanguage(acceptLanguage: "de-CH, fr;q=0.8") == .de)
        #expect(PushLanguage(acceptLanguage: "tlh, *;q=0.1") == nil)
    }

    @Test func identifiersAreRandomUUIDsInLowerCase() {
        let random = SeededRandomSource(seed: 3)
        let ids = (0..<1_000).map { _ in PushUUID.next(random) }
        #expect(Set(ids).count == 1_000)
        #expect(
            ids.allSatisfy { $0.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil })
    }
}
