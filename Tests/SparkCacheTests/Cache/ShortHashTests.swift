import SparkCore
import SparkTestSupport
import Testing

@testable import SparkCache

/// Two keys with one short hash, which the index takes for one key.
@Suite("Keys that the index of the spill cannot tell apart")
struct ShortHashTests {
    private func fixture() -> CacheFixture { CacheFixture(memoryBytes: 800 << 10, diskBytes: 16 << 20, isWarm: true) }

    /// Finds two such keys by trial: among some hundred thousand keys some share 32 bits of hash. The cache has one shard.
    private func pair(_ cache: Cache, _ policy: NamespacePolicy = .plain) throws -> (UInt64, UInt64) {
        var seen: [ShortHash: UInt64] = [:]
        for number in 1..<(1 << 20) as Range<UInt64> {
            let hash = EntryKey(namespace: policy.identity, key: CacheKey(low: number)).hash(seed: cache.engine.seed)
            if let other = seen.updateValue(number, forKey: ShortHash(hash)) { return (other, number) }
        }
        throw NotCached()
    }

    @Test("a key that another one removed from the index does not come back after a kill when it was written again")
    func forgottenByMark() async throws {
        let fixture = fixture()
        let (first, before) = fixture.open()
        let (one, other) = try pair(first)
        before.put(Item(one, 1))
        await CacheFixture.crowdOut(first, before, count: 400)
        before.put(Item(other, 1))
        before.put(Item(one, 2))
        let (second, after) = fixture.open()
        try await until { second.statistics.recovered != nil }
        #expect(await !after.isKnown(one))
    }

    @Test("a read of one key leaves the other key in the spill")
    func foreign() async throws {
        try await fixture().withCache { cache, items in
            let (one, other) = try pair(cache)
            items.put(Item(one))
            await CacheFixture.crowdOut(cache, items, count: 400)
            #expect(await !items.isKnown(other))
            #expect(try await items.find(one) == Item(one))
        }
    }

    @Test("two keys spilled one after the other are never taken for each other and do not come back after a kill")
    func bothOnDisk() async throws {
        let fixture = fixture()
        let (first, before) = fixture.open()
        let (one, other) = try pair(first)
        before.put(Item(one, 1))
        before.put(Item(other, 1))
        await CacheFixture.crowdOut(first, before, count: 400)
        for number in [one, other] {
            let found = try? await before.find(number)
            #expect(found == nil || found == Item(number, 1))
        }
        before.put(Item(one, 2))
        before.put(Item(other, 2))
        let (second, after) = fixture.open()
        try await until { second.statistics.recovered != nil }
        for number in [one, other] { #expect(await !after.isKnown(number)) }
    }

    @Test("a key that becomes stale in memory leaves the other key in the spill")
    func stale() async throws {
        try await fixture().withCache { cache, items in
            let (one, other) = try pair(cache)
            let tag = CacheTag(kind: 1, 1)
            items.put(Item(one), tags: [tag])
            items.put(Item(other))
            // The first is read again and again, so it stays in memory. The other goes to the disk.
            for number in 0..<400 as Range<UInt64> {
                items.put(Item(1 << 40 + number, size: 3_000))
                _ = items.peek(one)
                if number % 10 == 9 { await cache.drainSpill() }
            }
            await cache.drainSpill()
            try #require(items.peek(one) != nil && items.peek(other) == nil)
            cache.invalidate([tag])
            #expect(items.peek(one) == nil)
            #expect(try await items.find(other) == Item(other))
        }
    }
}
