import SparkCore
import Testing

@testable import SparkCache

@Suite("The gate before the origin")
struct LoadGateTests {
    @Test("lets so many run, so many wait, and refuses the rest", .timeLimit(.minutes(10)))
    func bounds() async throws {
        let gate = LoadGate(limit: 2, capacity: 3)
        let (door, running, most, refused, done) = (Door(), Count(), Count(), Count(), Count())
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    do {
                        try await gate.run {
                            if running.up() > 2 + done.value { most.up() }
                            await door.pass()
                            done.up()
                        }
                    } catch CacheError.overloaded {
                        if refused.up() == 5 { await door.open() }
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

    @Test("a place is handed on past those who were cancelled, and none is lost", .timeLimit(.minutes(10)))
    func cancellation() async throws {
        let gate = LoadGate(limit: 1, capacity: 5_000)
        let (door, isRunning, done) = (Door(), Door(), Count())
        let first = Task {
            try await gate.run {
                await isRunning.open()
                await door.pass()
            }
        }
        await isRunning.pass()
        let others = (0..<4_000).map { _ in Task { try await gate.run { _ = done.up() } } }
        for (place, task) in others.enumerated() where place % 3 != 0 { task.cancel() }
        await door.open()
        try await first.value
        for (place, task) in others.enumerated() {
            let result = await task.result
            if place % 3 == 0 { #expect(throws: Never.self) { try result.get() } }
        }
        #expect(done.value >= 1_334)
        #expect(gate.hasRoom)
        try await gate.run {}
    }

    @Test("a load that throws gives its place back")
    func failure() async throws {
        struct Broken: Error {}
        let gate = LoadGate(limit: 1, capacity: 0)
        for _ in 0..<3 { await #expect(throws: Broken.self) { try await gate.run { throw Broken() } } }
        #expect(gate.hasRoom)
    }

    @Test("a cache refuses loads beyond its bounds, and counts them", .timeLimit(.minutes(10)))
    func refusal() async throws {
        let scene = CacheScene()
        (scene.configuration.concurrentLoads, scene.configuration.waitingLoads) = (1, 0)
        let (cache, items) = scene.open()
        let (door, isLoading) = (Door(), Door())
        let first = Task {
            try await items.value(CacheKey(low: 1), tags: []) { _ in
                await isLoading.open()
                await door.pass()
                return Item(1)
            }
        }
        await isLoading.pass()
        await #expect(throws: CacheError.overloaded) { try await items.value(CacheKey(low: 3), tags: []) { _ in Item(3) } }
        await door.open()
        #expect(try await first.value == Item(1))
        #expect(cache.statistics.count("origin", "refused") == 1)
    }
}
