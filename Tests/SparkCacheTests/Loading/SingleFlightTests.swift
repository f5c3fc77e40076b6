import SparkCore
import SparkTestSupport
import Testing

@testable import SparkCache

@Suite("Single flight: one load for all that miss at once")
struct SingleFlightTests {
    private struct Broken: Error {}
    private let key = CacheKey(low: 7)
    private let tag = CacheTag(kind: 1, 7)

    @Test("a thousand simultaneous readers cause one load and all get its value", .timeLimit(.minutes(20)))
    func thousand() async throws {
        let (cache, items) = CacheFixture().open()
        let loads = Count()
        let values = try await withThrowingTaskGroup(of: Item?.self) { group in
            for _ in 0..<1_000 {
                group.addTask {
                    try await items.value(key, tags: [tag]) { _ in
                        loads.up()
                        try await until { cache.statistics.count("origin", "shared") == 999 }
                        return Item(7)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(loads.value == 1)
        #expect(values.allSatisfy { $0 == Item(7) } && values.count == 1_000)
        #expect(items.peek(7) == Item(7))
    }

    @Test("readers that arrive as the load finishes do not load again", .timeLimit(.minutes(20)))
    func landing() async throws {
        for round in 0..<300 as Range<UInt64> {
            let (_, items) = Self.shared
            let loads = Count()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        _ = try await items.value(CacheKey(low: round), tags: []) { _ in
                            loads.up()
                            return Item(round)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(loads.value == 1)
        }
    }

    private static let shared = CacheFixture().open()

    @Test("when the loading reader is cancelled, a waiting reader loads", .timeLimit(.minutes(20)))
    func cancelledLeader() async throws {
        let (cache, items) = CacheFixture().open()
        let (isLoading, never) = (Latch(), Latch())
        let leader = Task {
            try await items.value(key, tags: []) { _ in
                await isLoading.open()
                await withTaskCancellationHandler {
                    await never.pass()
                } onCancel: {
                    Task { await never.open() }
                }
                try Task.checkCancellation()
                return Item(7, 1)
            }
        }
        await isLoading.pass()
        let followers = (0..<20).map { _ in Task { try await items.value(key, tags: []) { _ in Item(7, 2) } } }
        try await until { cache.statistics.count("origin", "shared") == 20 }
        leader.cancel()
        await #expect(throws: CancellationError.self) { try await leader.value }
        for follower in followers { #expect(try await follower.value == Item(7, 2)) }
        #expect(cache.statistics.count("origin", "loaded") == 1)
    }

    @Test("a waiting reader that is cancelled returns at once and disturbs no other", .timeLimit(.minutes(20)))
    func cancelledFollower() async throws {
        let (cache, items) = CacheFixture().open()
        let (isLoading, mayFinish) = (Latch(), Latch())
        let load: @Sendable (Dependencies) async throws -> Item? = { _ in
            await isLoading.open()
            await mayFinish.pass()
            return Item(7)
        }
        let leader = Task { try await items.value(key, tags: [], load: load) }
        await isLoading.pass()
        let followers = (0..<2).map { _ in Task { try await items.value(key, tags: [], load: load) } }
        try await until { cache.statistics.count("origin", "shared") == 2 }
        followers[0].cancel()
        await #expect(throws: CancellationError.self) { try await followers[0].value }
        await mayFinish.open()
        #expect(try await leader.value == Item(7))
        #expect(try await followers[1].value == Item(7))
    }

    @Test("a failed load fails all its waiters once and is not cached", .timeLimit(.minutes(20)), arguments: [false, true])
    func failure(isCancellation: Bool) async throws {
        let (cache, items) = CacheFixture().open()
        let loads = Count()
        let readers = (0..<10).map { _ in
            Task {
                try await items.value(key, tags: []) { _ in
                    loads.up()
                    try await until { cache.statistics.count("origin", "shared") == 9 }
                    // An origin may throw this although no task here was cancelled.
                    if isCancellation { throw CancellationError() }
                    throw Broken()
                }
            }
        }
        for reader in readers { await #expect(throws: (any Error).self) { try await reader.value } }
        #expect(loads.value == 1)
        #expect(try await items.value(key, tags: []) { _ in Item(7, 2) } == Item(7, 2))
    }

    @Test("a load that began before an invalidation is not joined, and its value is not cached", .timeLimit(.minutes(20)))
    func invalidated() async throws {
        let (cache, items) = CacheFixture().open()
        let declared = CacheTag(kind: 2, 1)
        for invalidated in [tag, declared] {
            let (isLoading, mayFinish) = (Latch(), Latch())
            items.remove(7)
            let early = Task {
                try await items.value(key, tags: [tag]) { dependencies in
                    dependencies.depend(on: declared)
                    await isLoading.open()
                    await mayFinish.pass()
                    return Item(7, 1)
                }
            }
            await isLoading.pass()
            cache.invalidate([invalidated])
            #expect(try await items.value(key, tags: [tag]) { _ in Item(7, 2) } == Item(7, 2))
            await mayFinish.open()
            #expect(try await early.value == Item(7, 1))
            #expect(items.peek(7) == Item(7, 2))
        }
    }

    @Test(
        "a write during a load is not undone by the load", .timeLimit(.minutes(20)),
        arguments: ["put", "dependent put", "remove", "both"])
    func superseded(write: String) async throws {
        let (cache, items) = CacheFixture().open()
        let (isLoading, mayFinish) = (Latch(), Latch())
        let load: @Sendable () async -> Item = {
            await isLoading.open()
            await mayFinish.pass()
            return Item(7, 1)
        }
        let dependencies = cache.dependencies(on: [])
        let early = Task { try await items.value(key, tags: [tag]) { _ in await load() } }
        await isLoading.pass()
        switch write {
        case "put": items.put(Item(7, 2))
        case "dependent put": items.put(key, Item(7, 2), dependencies: dependencies)
        case "remove": items.remove(7)
        default:
            items.remove(7)
            items.put(Item(7, 2))
        }
        let expected = write == "remove" ? nil : Item(7, 2)
        #expect(items.peek(7) == expected)
        await mayFinish.open()
        #expect(try await early.value == Item(7, 1))
        #expect(items.peek(7) == expected)
        let isLoadedAnew = Count()
        #expect(try await items.value(key, tags: []) { _ in isLoadedAnew.up() == 1 ? Item(7, 2) : nil } == Item(7, 2))
    }

    @Test("a load that was replaced after an invalidation brings nothing back after a write", .timeLimit(.minutes(20)))
    func displaced() async throws {
        let (cache, items) = CacheFixture().open()
        let (isLoading, mayFinish) = (Latch(), Latch())
        let passing = CacheTag(kind: 3, 1)
        let early = Task {
            try await items.value(key, tags: [passing]) { dependencies in
                await isLoading.open()
                await mayFinish.pass()
                // It turns out not to depend on the invalidated tag.
                dependencies.narrow(to: [])
                return Item(7, 1)
            }
        }
        await isLoading.pass()
        cache.invalidate([passing])
        _ = try await items.value(key, tags: []) { _ in Item(7, 2) }
        items.put(Item(7, 3))
        await mayFinish.open()
        _ = try await early.value
        #expect(items.peek(7) == Item(7, 3))
    }

    @Test("a load inside another load never waits for a place that it holds itself", .timeLimit(.minutes(20)))
    func nested() async throws {
        let fixture = CacheFixture()
        fixture.configuration.concurrentLoads = 2
        let (_, items) = fixture.open()
        let begun = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<2 as Range<UInt64> {
                group.addTask {
                    let value = try await items.value(CacheKey(low: number), tags: []) { _ in
                        begun.up()
                        try await until { begun.value == 2 }
                        return try await items.value(CacheKey(low: 10 + number), tags: []) { _ in Item(10 + number) }
                    }
                    #expect(value == Item(10 + number))
                }
            }
            try await group.waitForAll()
        }
    }
}
