import SparkCore
import Testing

@testable import SparkCache

@Suite("The limit on concurrent loads")
struct LoadGateTests {
    @Test("the limiter runs up to its limit, queues up to its capacity and refuses the rest", .timeLimit(.minutes(20)))
    func bounds() async throws {
        let gate = LoadLimiter(limit: 2, capacity: 3)
        let (latch, running, most, refused, done) = (Latch(), Count(), Count(), Count(), Count())
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    do {
                        try await gate.run {
                            if running.up() > 2 + done.value { most.up() }
                            await latch.pass()
                            done.up()
                        }
                    } catch CacheError.overloaded {
                        if refused.up() == 5 { await latch.open() }
                    } catch {
                        Issue.record(error)
                    }
                }
            }
        }
        #expect((running.value, done.value, refused.value) == (5, 5, 5))
        #expect(most.value == 0)
        #expect(gate.hasRoom)
    }

    @Test("a free place skips cancelled waiters, and no place is lost", .timeLimit(.minutes(20)))
    func cancellation() async throws {
        let gate = LoadLimiter(limit: 1, capacity: 5_000)
        let (latch, isRunning, done) = (Latch(), Latch(), Count())
        let first = Task {
            try await gate.run {
                await isRunning.open()
                await latch.pass()
            }
        }
        await isRunning.pass()
        let others = (0..<4_000).map { _ in Task { try await gate.run { _ = done.up() } } }
        for (place, task) in others.enumerated() where place % 3 != 0 { task.cancel() }
        await latch.open()
        try await first.value
        for (place, task) in others.enumerated() {
            let result = await task.result
            if place % 3 == 0 { #expect(throws: Never.self) { try result.get() } }
        }
        #expect(done.value >= 1_334)
        #expect(gate.hasRoom)
        try await gate.run {}
    }

    @Test("a load that throws returns its place")
    func failure() async throws {
        struct Broken: Error {}
        let gate = LoadLimiter(limit: 1, capacity: 0)
        for _ in 0..<3 { await #expect(throws: Broken.self) { try await gate.run { throw Broken() } } }
        #expect(gate.hasRoom)
    }

    @Test("a cache refuses loads beyond its bounds and counts them", .timeLimit(.minutes(20)))
    func refusal() async throws {
        let fixture = CacheFixture()
        (fixture.configuration.concurrentLoads, fixture.configuration.waitingLoads) = (1, 0)
        let (cache, items) = fixture.open()
        let (latch, isLoading) = (Latch(), Latch())
        let first = Task {
            try await items.value(CacheKey(low: 1), tags: []) { _ in
                await isLoading.open()
                await latch.pass()
                return Item(1)
            }
        }
        await isLoading.pass()
        await #expect(throws: CacheError.overloaded) { try await items.value(CacheKey(low: 3), tags: []) { _ in Item(3) } }
        await latch.open()
        #expect(try await first.value == Item(1))
        #expect(cache.statistics.count("origin", "refused") == 1)
    }
}
