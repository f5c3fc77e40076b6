import SparkCore
import Testing

@testable import SparkPush

/// The decision alone, with a clock of its own.
@Suite struct PushBatchTests {
    private static let start = Timestamp(milliseconds: 1_772_366_400_000)
    private let rules = PushRules()

    private func batch(_ kind: PushKind = .message, events: Int = 1) -> PushBatch {
        var batch = PushBatch(id: 1, user: UserID(rawValue: 7), kind: kind, at: Self.start, rules: rules)
        for _ in 1..<max(events, 1) { batch.add(at: Self.start, rules: rules) }
        return batch
    }

    /// The decision table, as rows in order of precedence; the first that holds decides.
    private func expected(_ facts: PushFacts, kind: PushKind, heldBefore: PushBatch.State?, age: Duration) -> String {
        let rows: [(Bool, String)] = [
            (!facts.hasNews, "cancel read"), (!facts.hasDevice, "cancel no_device"), (facts.isMuted, "cancel muted"),
            (age > .hours(24), "cancel expired"), (facts.isActive && heldBefore == .heldWhileActive, "cancel active"),
            (facts.isActive, "hold for activity"), (facts.quietUntil != nil, "hold for quiet"),
            (facts.sentToday >= 100, "cancel capped"), (kind == .match, "send high"), (kind == .message, "send medium"),
        ]
        return rows.first { $0.0 }?.1 ?? "send low, quiet"
    }

    private func words(_ decision: PushBatch.Decision, _ batch: PushBatch) -> String {
        switch decision {
        case .cancel(let reason): "cancel \(reason.rawValue)"
        case .hold: batch.state == .heldWhileActive ? "hold for activity" : "hold for quiet"
        case .send(let priority, let isQuiet): "send \(priority.wire)\(isQuiet ? ", quiet" : "")"
        }
    }

    @Test func everyCombinationIsDecidedAsTheTableSays() {
        var seen: [String: Int] = [:]
        let flags = [false, true]
        for kind in PushKind.allCases {
            for held in [nil, PushBatch.State.heldWhileActive, .heldForQuiet] {
                for (hasNews, hasDevice) in flags.flatMap({ a in flags.map { (a, $0) } }) {
                    for (isMuted, isActive) in flags.flatMap({ a in flags.map { (a, $0) } }) {
                        for (isQuiet, isCapped) in flags.flatMap({ a in flags.map { (a, $0) } }) {
                            for (isOld, events) in [(false, 1), (false, 50), (true, 1)] {
                                let age: Duration = isOld ? .hours(25) : .seconds(3)
                                let now = Self.start + age
                                let facts = PushFacts(
                                    hasNews: hasNews, hasDevice: hasDevice, isMuted: isMuted, isActive: isActive,
                                    quietUntil: isQuiet ? now + .hours(6) : nil, sentToday: isCapped ? 100 : 99)
                                let before = batch(kind, events: events)
                                var subject = PushBatch(
                                    id: 1, user: before.user, kind: kind, openedAt: before.openedAt,
                                    state: held ?? before.state, dueAt: before.dueAt, count: before.count)
                                let decision = subject.decide(facts, at: now, rules: rules)
                                let told = words(decision, subject)
                                #expect(told == expected(facts, kind: kind, heldBefore: held, age: age), "\(kind) \(facts)")
                                seen[told, default: 0] += 1
                                if decision == .hold { #expect(subject.dueAt > now && subject.isOpen) }
                            }
                        }
                    }
                }
            }
        }
        #expect(seen.keys.count == 11, "every answer occurs: \(seen)")
    }

    @Test func aBatchIsDueTwoSecondsAfterItsFirstEvent() {
        var batch = batch()
        #expect(batch.dueAt == Self.start + .seconds(2))
        batch.add(at: Self.start + .milliseconds(1_900), rules: rules)
        #expect(batch.dueAt == Self.start + .seconds(2))
        #expect(batch.count == 2)
    }

    @Test func theFiftiethEventMakesItFullAndDueAtOnce() {
        var batch = batch(events: 49)
        #expect(batch.isOpen)
        batch.add(at: Self.start + .milliseconds(500), rules: rules)
        #expect(batch.state == .full)
        #expect(!batch.isOpen)
        #expect(batch.dueAt == Self.start + .milliseconds(500))
    }

    @Test func whatIsHeldTakesFurtherEventsWithoutBecomingDueSooner() {
        var batch = batch()
        let facts = PushFacts(
            hasNews: true, hasDevice: true, isMuted: false, isActive: false, quietUntil: Self.start + .hours(8), sentToday: 0)
        #expect(batch.decide(facts, at: Self.start + .seconds(2), rules: rules) == .hold)
        for _ in 0..<200 { batch.add(at: Self.start + .hours(1), rules: rules) }
        #expect(batch.isOpen)
        #expect(batch.dueAt == Self.start + .hours(8))
        #expect(batch.count == 201)
    }
}
