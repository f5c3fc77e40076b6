import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkPush

@Suite("Pauses that providers ask for")
struct PauseTests {
    /// A delivery that waits to leave.
    private func waiting(_ fixture: Fixture) async throws {
        let (_, ben, conversation) = try await fixture.pair()
        try await fixture.say("Hello", to: conversation, by: ben)
        try await decide(fixture)
    }

    private func decide(_ fixture: Fixture) async throws {
        fixture.server.clock.advance(by: .seconds(2))
        while try await fixture.module.decider.decideDue() {}
    }

    /// A message to another person.
    private func another(_ fixture: Fixture) async throws {
        let (_, ben, conversation) = try await fixture.pair()
        try await fixture.say("Hello", to: conversation, by: ben)
        try await decide(fixture)
    }

    @Test("a pause that one push received holds for every other push, and survives a restart")
    func survives() async throws {
        try await withServer(Fixture()) { fixture in
            try await waiting(fixture)
            let provider = ScriptedProvider(.later(reason: "QUOTA_EXCEEDED", after: .seconds(3_600)), .accepted)
            let lane = try fixture.lane(provider)
            try await lane.drain()
            try await another(fixture)
            fixture.server.clock.advance(by: .seconds(1_800))
            try await lane.drain()
            #expect(provider.received.count == 1)
            let restarted = try fixture.lane(provider)
            try await restarted.drain()
            #expect(provider.received.count == 1, "a restart forgets nothing")
            fixture.server.clock.advance(by: .seconds(1_800))
            try await restarted.drain()
            try await restarted.drain()
            #expect(provider.received.count == 3)
            #expect(try fixture.server.check().isEmpty)
        }
    }

    @Test("a push that was under way when the provider asked for a pause does not end it")
    func notForgotten() {
        var breaker = CircuitBreaker()
        let now = Timestamp(milliseconds: 1_000_000_000)
        breaker.failed(at: now, after: .seconds(600), chance: 0)
        breaker.succeeded()
        let early = breaker.allowance(of: 10, at: now + .seconds(599))
        #expect(early == 0 && breaker.isPaused && breaker.resumesAt == now + .seconds(600))
        breaker.failed(at: now + .seconds(10), after: .seconds(5), chance: 0)
        #expect(breaker.pause?.until == now + .seconds(600), "a shorter pause does not end a longer one")
        let late = breaker.allowance(of: 10, at: now + .seconds(600))
        #expect(late > 0)
    }

    @Test("no pause is longer than a day, and one noted under a clock that was ahead keeps its length")
    func clockAhead() {
        let now = Timestamp(milliseconds: 1_772_366_400_000)
        var breaker = CircuitBreaker()
        breaker.failed(at: now, after: .days(400), chance: 0)
        #expect(breaker.pause?.until == now + .days(1))
        breaker = CircuitBreaker()
        breaker.failed(at: now + .days(90), after: .minutes(5), chance: 0)
        let paused = breaker.allowance(of: 10, at: now)
        let resumed = breaker.allowance(of: 10, at: now + .minutes(5))
        #expect(paused == 0 && resumed > 0)
        var rests = CircuitBreaker()
        for _ in 0..<20 { rests.failed(at: now + .days(90), after: nil, chance: 1) }
        let resting = rests.allowance(of: 10, at: now)
        let rested = rests.allowance(of: 10, at: now + .seconds(60))
        #expect(resting == 0 && rested == 1)
    }

    @Test("a pause of one push service does not delay another one")
    func places() async throws {
        try await withServer(Fixture()) { fixture in
            for host in ["slow.example", "slow.example", "fast.example"] {
                let (ann, ben, conversation) = try await fixture.pair()
                try await fixture.server.storage.write { transaction in
                    try transaction.session.statement("UPDATE push_devices SET token = token || ?2 WHERE user_id = ?1")
                        .run([.integer(ann.id.rawValue), .text("@" + host)])
                }
                try await fixture.say("Hello", to: conversation, by: ben)
            }
            try await decide(fixture)
            let provider = PlacedProvider(busy: "slow.example")
            let lane = try fixture.lane(provider, concurrency: 1)
            for _ in 0..<4 { try await lane.drain() }
            #expect(provider.asked == ["slow.example": 1, "fast.example": 1])
            let restarted = try fixture.lane(provider)
            try await restarted.drain()
            #expect(provider.asked["slow.example"] == 1)
            provider.isBusy.withLock { $0 = false }
            for _ in 0..<3 {
                fixture.server.clock.advance(by: .minutes(10))
                try await restarted.drain()
            }
            #expect(provider.asked == ["slow.example": 3, "fast.example": 1])
            #expect(try fixture.count("push_deliveries") == 0)
        }
    }
}

/// Reaches places; one of them asks to be left alone for a quarter of an hour.
private final class PlacedProvider: PushProvider, Sendable {
    let isBusy = Mutex(true)
    private let busy: String
    private let counts = Mutex<[String: Int]>([:])

    init(busy: String) { self.busy = busy }

    var asked: [String: Int] { counts.withLock { $0 } }

    private static func place(of target: PushTarget) -> String { String(target.token.split(separator: "@").last ?? "") }

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome {
        let place = Self.place(of: notification.target)
        counts.withLock { $0[place, default: 0] += 1 }
        return place == busy && isBusy.withLock { $0 } ? .later(reason: "429", after: .minutes(15)) : .accepted
    }

    func pauseScope(of target: PushTarget, reason: String?) -> PauseScope { .place(Self.place(of: target)) }
    func fault() async -> String? { nil }
    func shutDown() async {}
}
