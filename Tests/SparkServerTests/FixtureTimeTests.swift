import SparkCore
import SparkKit
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkServer

@Suite("A clock that a test moves")
struct FixtureTimeTests {
    private static let start = Timestamp(milliseconds: 1_772_366_400_000)

    private let base = ManualClock(FixtureTimeTests.start)
    private let time: FixtureTime
    private let diary: Diary

    init() {
        let time = FixtureTime(over: base)
        self.time = time
        self.diary = Diary(clock: time.clock)
    }

    /// What ran, and when by the clock, as seconds after the start.
    private final class Diary: Sendable {
        private let clock: any WallClock
        private let lines = Mutex<[String]>([])

        init(clock: any WallClock) { self.clock = clock }

        var all: [String] { lines.withLock { $0 } }
        func note(_ name: String) {
            let line = "\(name) \((clock.now() - FixtureTimeTests.start).milliseconds / 1_000)"
            lines.withLock { $0.append(line) }
        }
    }

    /// Things that fall due at times, in seconds after the start.
    private final class Dates: Sendable {
        private let waiting: Mutex<[Int]>

        init(_ seconds: [Int]) { self.waiting = Mutex(seconds) }

        func add(_ second: Int) { waiting.withLock { $0.append(second) } }
        var next: Timestamp? { waiting.withLock { $0.min() }.map { FixtureTimeTests.start + .seconds($0) } }
        /// - Returns: how many were due.
        func take(until now: Timestamp) -> Int {
            waiting.withLock { waiting in
                let before = waiting.count
                waiting.removeAll { FixtureTimeTests.start + .seconds($0) <= now }
                return before - waiting.count
            }
        }
        var count: Int { waiting.withLock { $0.count } }
    }

    private func dated(_ name: String, _ dates: Dates, every interval: Duration = .minutes(10)) -> TimedWork {
        .dated(name, every: interval, nextDue: { dates.next }) {
            diary.note(name)
            _ = dates.take(until: time.now)
        }
    }

    private func begin(_ works: [TimedWork]) { time.begin(works) {} }

    @Test("dated work runs at its times and in their order, sampled work once at the end")
    func order() async throws {
        begin([
            .sampled("history", every: .seconds(10)) { diary.note("history") },
            dated("batch", Dates([90, 5])), dated("retention", Dates([3_600, 60, 90, 40 * 86_400])),
        ])
        #expect(try await time.advance(by: .days(30)) == Self.start + .days(30))
        #expect(
            diary.all == [
                "batch 5", "retention 60", "batch 90", "retention 90", "retention 3600", "history \(30 * 86_400)",
            ])
    }

    @Test("a move runs what was due before it, and what falls due at its end, in the order of the times")
    func edges() async throws {
        begin([dated("late", Dates([-10])), dated("early", Dates([-20])), dated("end", Dates([60]))])
        try await time.set(Self.start + .seconds(60))
        #expect(diary.all == ["early 0", "late 0", "end 60"])
    }

    @Test("400 days without anything due take no round, and those with little take as many as there are dates")
    func cheap() async throws {
        let dates = Dates((1...20).map { $0 * 86_400 })
        begin([dated("idle", Dates([])), dated("retention", dates)])
        let started = ContinuousClock.now
        try await time.advance(by: .days(400))
        #expect(ContinuousClock.now - started < .seconds(300))
        #expect(diary.all == (1...20).map { "retention \($0 * 86_400)" })
    }

    @Test("what a round makes due runs in the same move, at its own time or at once")
    func chain() async throws {
        let (jobs, results) = (Dates([10]), Dates([]))
        begin([
            dated("result", results),
            .dated("job", every: .seconds(1), nextDue: { jobs.next }) {
                diary.note("job")
                guard jobs.take(until: time.now) > 0, diary.all.count < 5 else { return }
                results.add(Int((time.now - Self.start).milliseconds / 1_000))
                jobs.add(20)
            },
        ])
        try await time.advance(by: .seconds(30))
        #expect(diary.all == ["job 10", "result 10", "job 20", "result 20", "job 20"])
    }

    @Test("work that stays due does not hold a move up, and is tried again until its end")
    func failing() async throws {
        begin([.dated("broken", every: .minutes(10), nextDue: { Self.start }) { diary.note("broken") }])
        try await time.advance(by: .days(400))
        #expect((10...2_000).contains(diary.all.count))
        #expect(diary.all.last == "broken \(400 * 86_400)")
    }

    @Test("many dates take a bounded number of rounds, and none is left at the end")
    func dense() async throws {
        let dates = Dates((1...10_000).map { $0 * 3_000 })
        begin([dated("retention", dates)])
        try await time.advance(by: .days(400))
        #expect(dates.count == 0)
        #expect(diary.all.count < 1_500)
        #expect(diary.all.prefix(50) == (1...50).map { "retention \($0 * 3_000)" }[...])
    }

    @Test("a retention is asked for its next date only after a round, other work after every step")
    func asking() async throws {
        let oldest = Mutex(0)
        let others = Mutex(0)
        let dates = Dates([1_000])
        begin([
            dated("steps", Dates(Array(1...10))),
            .dated(
                "retention", every: .minutes(10), isOldestFirst: true,
                nextDue: {
                    oldest.withLock { $0 += 1 }
                    return dates.next
                }
            ) { _ = dates.take(until: time.now) },
            .dated(
                "outbox", every: .minutes(10),
                nextDue: {
                    others.withLock { $0 += 1 }
                    return nil
                }
            ) {},
        ])
        try await time.advance(by: .hours(1))
        #expect(oldest.withLock { $0 } == 2)
        #expect(others.withLock { $0 } == 12)
    }

    @Test("upkeep and services come to rest before each step and before the answer")
    func settling() async throws {
        let dates = Dates([10])
        time.begin([
            .upkeep("activity", every: .seconds(1)) { diary.note("flush") },
            .dated(
                "lane", byOwnService: { dates.next },
                run: {
                    diary.note("lane")
                    _ = dates.take(until: time.now)
                }, rest: { diary.note("rest") }),
        ]) { diary.note("settled") }
        try await time.advance(by: .seconds(20))
        let step = { (second: Int) in ["flush \(second)", "settled \(second)", "rest \(second)"] }
        #expect(diary.all == step(0) + ["lane 10"] + step(10) + step(20))
    }

    @Test("moves take place one after the other, each from where the one before ended")
    func serial() async throws {
        let running = Atomic(0)
        begin([
            .sampled("slow", every: .seconds(1)) {
                #expect(running.add(1, ordering: .relaxed).newValue == 1)
                for _ in 0..<20 { await Task.yield() }
                running.subtract(1, ordering: .relaxed)
                diary.note("slow")
            }
        ])
        let ends = try await withThrowingTaskGroup { group in
            for _ in 0..<10 { group.addTask { try await time.advance(by: .hours(1)) } }
            return try await group.reduce(into: [Timestamp]()) { $0.append($1) }
        }
        #expect(Set(ends) == Set((1...10).map { Self.start + .hours($0) }))
        #expect(diary.all == (1...10).map { "slow \($0 * 3_600)" })
    }

    @Test("the clock does not go back, nor further than identifiers can tell")
    func refusals() async throws {
        begin([])
        try await time.advance(by: .hours(1))
        await #expect(throws: ClockError.backwards) { try await time.set(Self.start) }
        await #expect(throws: ClockError.backwards) { try await time.advance(by: .seconds(-1)) }
        await #expect(throws: ClockError.tooLate) { try await time.advance(by: .days(100_000)) }
        await #expect(throws: ClockError.tooLate) { try await time.advance(by: .milliseconds(Int64.max)) }
        await #expect(throws: ClockError.tooLate) { try await time.set(ClockError.latest + .milliseconds(1)) }
        #expect(time.now == Self.start + .hours(1))
        #expect(try await time.set(time.now) == time.now)
    }

    @Test("a clock runs with the one below it, ahead by what it was moved, until it is frozen")
    func freezing() async throws {
        begin([])
        base.advance(by: .seconds(1))
        #expect(time.now == Self.start + .seconds(1) && !time.isFrozen)
        try await time.advance(by: .hours(1))
        base.advance(by: .seconds(1))
        #expect(time.now == Self.start + .seconds(3_602))
        #expect(await time.freeze(true) == Self.start + .seconds(3_602))
        base.advance(by: .days(1))
        #expect(time.now == Self.start + .seconds(3_602) && time.isFrozen)
        try await time.advance(by: .seconds(8))
        #expect(time.now == Self.start + .seconds(3_610) && time.isFrozen)
        await time.freeze(false)
        base.advance(by: .seconds(5))
        #expect(time.now == Self.start + .seconds(3_615))
        await time.restore(Self.start, isFrozen: true)
        #expect(time.now == Self.start && time.isFrozen)
    }

    @Test("a move stands still while it works, waits for the rounds by real time, and keeps new ones out")
    func gate() async throws {
        let isRoundOver = Atomic(false)
        begin([
            dated("work", Dates([10])),
            .sampled("last", every: .seconds(1)) {
                let isOver = isRoundOver.load(ordering: .relaxed)
                #expect(isOver)
                base.advance(by: .hours(1))
                diary.note("last")
            },
        ])
        await time.gate.enter()
        let move = Task { try await time.advance(by: .seconds(10)) }
        try await until("the move has begun") { time.isFrozen }
        isRoundOver.store(true, ordering: .relaxed)
        time.gate.leave()
        #expect(try await move.value == Self.start + .seconds(10))
        #expect(diary.all == ["work 10", "last 10"])
        await time.gate.enter()
        time.gate.leave()
    }

    @Test("a caller who goes away does not end a move halfway")
    func cancelled() async throws {
        let hasBegun = Atomic(false)
        begin([
            dated("retention", Dates([20])),
            .dated("first", every: .seconds(1), nextDue: { hasBegun.load(ordering: .relaxed) ? nil : Self.start + .seconds(10) })
            {
                hasBegun.store(true, ordering: .relaxed)
                for _ in 0..<100 { await Task.yield() }
                #expect(!Task.isCancelled)
            },
        ])
        let move = Task { try await time.advance(by: .seconds(30)) }
        try await until("the move is under way") { hasBegun.load(ordering: .relaxed) }
        move.cancel()
        #expect(try await move.value == Self.start + .seconds(30))
        #expect(diary.all == ["retention 20"])
    }

    @Test("a fault of the storage ends a move where it happened")
    func fault() async throws {
        struct Broken: Error {}
        let dates = Dates([10])
        begin([
            dated("first", dates),
            .dated("second", every: .seconds(1), nextDue: { if dates.count == 0 { throw Broken() } else { return nil } }) {},
        ])
        await #expect(throws: Broken.self) { try await time.advance(by: .seconds(30)) }
        #expect(time.now == Self.start + .seconds(10) && !time.isFrozen)
        #expect(await time.freeze(true) == Self.start + .seconds(10))
    }
}
