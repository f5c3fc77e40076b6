import SparkCore
import Testing

@testable import SparkCache

@Suite("Prefetch and demotion")
struct PrefetchTests {
    private var policy: NamespacePolicy {
        var policy = NamespacePolicy.plain
        policy.isPrefetched = true
        return policy
    }

    @Test("prefetching a key brings its entries back from the disk, even from a cold one", arguments: [false, true])
    func began(isCold: Bool) async throws {
        let fixture = CacheFixture(diskBytes: 16 << 20)
        try await fixture.withCache(policy) { cache, items in
            items.put(Item(1))
            await CacheFixture.crowdOut(cache, items)
            #expect(items.peek(1) == nil)
            fixture.files.faults.isCold = isCold
            await cache.prefetch(CacheKey(low: 1))
            #expect(items.peek(1) == Item(1))
            await cache.prefetch(CacheKey(low: 2))
            #expect(items.peek(2) == nil)
        }
    }

    @Test("prefetching loads entries that neither tier has, when the namespace has a load for them")
    func loadedAhead() async throws {
        let (cache, items) = CacheFixture().open(policy)
        items.loadOnPrefetch { [weak items] key in items?.put(Item(key.low, 5)) }
        items.put(Item(1, 1))
        await cache.prefetch(CacheKey(low: 1))
        await cache.prefetch(CacheKey(low: 2))
        #expect(items.peek(1) == Item(1, 1))
        #expect(items.peek(2) == Item(2, 5))
    }

    @Test("demoted entries are evicted first, however often they were read, unless they are prefetched again")
    func ended() async throws {
        let fixture = CacheFixture(memoryBytes: 800 << 10)
        let (cache, items) = fixture.open(policy)
        for number in 0..<100 as Range<UInt64> { items.put(Item(number, size: 2_000)) }
        for _ in 0..<5 { for number in 0..<40 as Range<UInt64> { _ = items.peek(number) } }
        for number in 0..<20 as Range<UInt64> { cache.demote(CacheKey(low: number)) }
        for number in 0..<10 as Range<UInt64> { await cache.prefetch(CacheKey(low: number)) }
        var left: [UInt64] = []
        for filler in 1_000..<3_000 as Range<UInt64> where left.count < 10 {
            items.put(Item(filler, size: 2_000))
            left = cache.engine.shards.all.flatMap { shard in
                (0..<40).filter { number in
                    let key = EntryKey(namespace: items.policy.identity, key: CacheKey(low: number))
                    return !shard.withLock { $0.contains(key, key.hash(seed: cache.engine.seed)) }
                }
            }
        }
        #expect(left == Array(10..<20))
    }

    @Test("prefetching leaves namespaces alone that do not take part")
    func others() async throws {
        let fixture = CacheFixture(diskBytes: 16 << 20)
        try await fixture.withCache { cache, items in
            items.put(Item(1))
            await CacheFixture.crowdOut(cache, items)
            await cache.prefetch(CacheKey(low: 1))
            #expect(items.peek(1) == nil)
        }
    }
}
