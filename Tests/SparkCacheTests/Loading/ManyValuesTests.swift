import SparkCore
import Testing

@testable import SparkCache

@Suite("Several values at once")
struct ManyValuesTests {
    private struct Broken: Error {}
    private func keys(_ numbers: [UInt64]) -> [CacheKey] { numbers.map { CacheKey(low: $0) } }

    @Test("values come in the order of their keys, from memory or from one load, with nil for those that do not exist")
    func order() async throws {
        let (cache, items) = CacheFixture().open()
        items.put(Item(3, 9))
        let asked = Count()
        let found = try await items.values(keys([5, 3, 4, 5]), tags: { _ in [] }) { keys in
            asked.up()
            #expect(keys.map(\.low) == [5, 4])
            return [Item(5), nil]
        }
        #expect(found == [Item(5), Item(3, 9), nil, Item(5)])
        #expect(asked.value == 1)
        #expect(items.peek(5) == Item(5))
        #expect(cache.statistics.count("origin", "absent") == 1)
        #expect(try await items.values([], tags: { _ in [] }) { _ in throw Broken() } == [])
    }

    @Test("a write during the load is not undone by the load", .timeLimit(.minutes(20)))
    func superseded() async throws {
        let (cache, items) = CacheFixture().open()
        let (isLoading, mayFinish) = (Latch(), Latch())
        let early = Task {
            try await items.values(keys([1, 2, 3, 4]), tags: { [CacheTag(kind: 1, $0.low)] }) { keys in
                await isLoading.open()
                await mayFinish.pass()
                return keys.map { Item($0.low, 1) }
            }
        }
        await isLoading.pass()
        items.put(Item(1, 2))
        items.remove(2)
        cache.invalidate([CacheTag(kind: 1, 3)])
        await mayFinish.open()
        #expect(try await early.value == [Item(1), Item(2), Item(3), Item(4)])
        #expect([1, 2, 3, 4].map { items.peek($0) } == [Item(1, 2), nil, nil, Item(4)])
    }

    @Test("two overlapping calls load each key once and never wait for each other", .timeLimit(.minutes(20)))
    func overlap() async throws {
        let (_, items) = CacheFixture().open()
        let loads = Count()
        for round in 0..<100 as Range<UInt64> {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for order in [[0, 1, 2], [2, 1, 3], [3, 0]] as [[UInt64]] {
                    let numbers = order.map { round * 10 + $0 }
                    group.addTask {
                        let found = try await items.values(keys(numbers), tags: { _ in [] }) { keys in
                            for _ in keys { loads.up() }
                            await Task.yield()
                            return keys.map { Item($0.low) }
                        }
                        #expect(found == numbers.map { Item($0) })
                    }
                }
                try await group.waitForAll()
            }
        }
        // A call that looked before another load finished, and started its own after, may load a key again.
        #expect(loads.value >= 400 && loads.value < 800)
    }

    @Test("a failed load caches nothing, and the next call loads")
    func failure() async throws {
        let (_, items) = CacheFixture().open()
        await #expect(throws: Broken.self) {
            try await items.values(keys([1, 2]), tags: { _ in [] }) { _ in throw Broken() }
        }
        #expect(try await items.values(keys([1]), tags: { _ in [] }) { $0.map { Item($0.low) } } == [Item(1)])
    }
}
