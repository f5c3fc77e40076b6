import SparkCore
import Testing

@testable import SparkCache

@Suite("The memory budget")
struct BudgetTests {
    /// Puts, loads and removes at random, and checks the memory in use after each step.
    /// - Parameter isFollowed: whether the disk keeps up; otherwise it takes what it finds the time for.
    private func churn(
        _ fixture: CacheFixture, steps: Int, seed: UInt64, absentShare: UInt64 = 0, isFollowed: Bool = false,
        size: (inout SplitMix64) -> Int
    ) async throws -> (cache: Cache, items: CacheNamespace<CacheKey, Item>) {
        var policy = NamespacePolicy.plain
        policy.negativeLifetime = .seconds(3_600)
        let (cache, items) = fixture.open(policy)
        var chance = SplitMix64(seed: seed)
        var worst = 0
        for step in 0..<steps {
            if isFollowed, step % 8 == 0 { await cache.drainSpill() }
            let key = chance.next() % 4_000
            switch chance.next() % 8 {
            case 0: _ = try? await items.find(key)
            case 1: items.remove(key)
            default:
                if chance.next() % 100 < absentShare {
                    _ = try await items.value(CacheKey(low: chance.next()), tags: []) { _ in nil }
                } else {
                    let tags = (0..<chance.next() % 5).map { CacheTag(kind: 1, $0) }
                    items.put(Item(key, size: size(&chance)), tags: tags)
                }
            }
            worst = max(worst, cache.statistics.memoryBytes)
        }
        #expect(worst <= fixture.configuration.memoryBytes)
        return (cache, items)
    }

    @Test(
        "memory stays within its budget for values of 200 bytes to 20 KB, with and without a disk, and the budget is used",
        arguments: [false, true])
    func sizes(hasDisk: Bool) async throws {
        let fixture = CacheFixture(memoryBytes: 2 << 20, diskBytes: hasDisk ? 8 << 20 : nil)
        let (cache, _) = try await churn(fixture, steps: 8_000, seed: 41) { 200 + Int($0.next() % 19_800) }
        #expect(cache.statistics.memoryBytes > fixture.configuration.memoryBytes * (hasDisk ? 8 : 9) / 10)
        await cache.close()
    }

    @Test(
        "memory stays within its budget for tiny values and absences, and their tables leave room for other values",
        arguments: [0, 50, 100] as [UInt64], [false, true])
    func tiny(absentShare: UInt64, isFollowed: Bool) async throws {
        let fixture = CacheFixture(memoryBytes: 1 << 20, diskBytes: 8 << 20)
        let (cache, items) = try await churn(fixture, steps: 30_000, seed: 42, absentShare: absentShare, isFollowed: isFollowed) {
            _ in 0
        }
        for number in 0..<2_000 as Range<UInt64> {
            if isFollowed, number % 8 == 0 { await cache.drainSpill() }
            items.put(Item(1 << 50 + number, size: 2_000))
        }
        let held = (0..<2_000 as Range<UInt64>).filter { items.peek(1 << 50 + $0) != nil }.count
        // Stamps take 256 KiB of the budget, and at least a quarter of the rest is left for values. The more entries the disk took, the
        // larger is its index and the less is left: about 30 % when it took all of them.
        #expect(held * 2_000 > (768 << 10) / 4)
        #expect(cache.statistics.memoryBytes <= 1 << 20)
        await cache.close()
    }

    @Test("memory stays within its budget while the index of the spill outgrows its share, and no value is wrong")
    func index() async throws {
        let fixture = CacheFixture(memoryBytes: 600 << 10, diskBytes: 64 << 20)
        try await fixture.withCache { cache, items in
            var worst = 0
            for number in 0..<40_000 as Range<UInt64> {
                items.put(Item(number, size: 40))
                if number % 64 == 63 { await cache.drainSpill() }
                if number % 16 == 0 { worst = max(worst, cache.statistics.memoryBytes) }
            }
            await cache.drainSpill()
            #expect(max(worst, cache.statistics.memoryBytes) <= 600 << 10)
            #expect(cache.statistics.spilledEntries > 8_000)
            for number in 0..<40_000 as Range<UInt64> where number % 37 == 0 {
                if let found = try? await items.find(number) { #expect(found == Item(number, size: 40)) }
            }
        }
    }

    @Test("a limit on entries is kept and used")
    func entries() async throws {
        let fixture = CacheFixture(memoryBytes: 4 << 20)
        fixture.configuration.entries = 1_000
        let (cache, items) = fixture.open()
        for number in 0..<5_000 as Range<UInt64> {
            items.put(Item(number))
            if cache.statistics.entries > 1_000 { Issue.record("\(cache.statistics.entries) entries") }
        }
        #expect(cache.statistics.entries > 950)
    }

    @Test("a budget without room keeps nothing, and nothing fails")
    func none() async throws {
        try await CacheFixture(memoryBytes: 0, diskBytes: 0).withCache { cache, items async throws in
            for number in 0..<100 as Range<UInt64> {
                items.put(Item(number))
                #expect(try await items.value(CacheKey(low: number), tags: []) { _ in Item(number, 2) }?.key == number)
            }
            await cache.drainSpill()
        }
    }

    @Test("statistics add up: each request counts once in memory, and each stored entry is held, evicted, replaced or removed")
    func statistics() async throws {
        let fixture = CacheFixture(memoryBytes: 1 << 20, diskBytes: 8 << 20)
        try await fixture.withCache { cache, items in
            var chance = SplitMix64(seed: 43)
            var (asked, loaded) = (0, 0)
            for step in 0..<6_000 {
                let key = chance.next() % 900
                asked += 1
                if chance.next() % 3 == 0 {
                    _ = items.peek(key)
                } else {
                    let isLoaded = Count()
                    let value = try await items.value(CacheKey(low: key), tags: []) { _ in
                        isLoaded.up()
                        return Item(key, size: 2_000)
                    }
                    #expect(value == Item(key, size: 2_000))
                    loaded += isLoaded.value
                }
                if step % 40 == 0 { await cache.drainSpill() }
            }
            await cache.drainSpill()
            let statistics = cache.statistics
            #expect(statistics.namespaces[0].requests.filter { $0.layer == "l1" }.reduce(0) { $0 + $1.count } == asked)
            #expect(statistics.count("origin", "loaded") == loaded)
            #expect(statistics.namespaces[0].stored == loaded)
            #expect(statistics.namespaces[0].hits == statistics.count("l1", "hit") + statistics.count("disk", "hit"))
            #expect(statistics.count("disk", "hit") > 100)
            // Nothing expires and nothing is written twice: each entry is in memory or was evicted, unless it was read again before the spill
            // had it.
            let came = loaded + statistics.count("disk", "hit")
            #expect(statistics.entries >= came - statistics.namespaces[0].evicted)
            #expect(statistics.spill?.entriesWritten == statistics.spilledEntries)
        }
    }
}
