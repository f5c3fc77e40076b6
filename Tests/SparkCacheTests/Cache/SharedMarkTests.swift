import SparkCore
import Testing

@testable import SparkCache

/// Two keys of one mark, which the index takes for one.
@Suite("Keys that the index of the disk cannot tell apart")
struct SharedMarkTests {
    private func scene() -> CacheScene { CacheScene(memoryBytes: 800 << 10, diskBytes: 16 << 20, isWarm: true) }

    /// Found by trying: among some hundred thousand keys some share 32 bits of hash. One shard has them all.
    private func pair(_ cache: Cache, _ policy: NamespacePolicy = .plain) throws -> (UInt64, UInt64) {
        var seen: [SpillMark: UInt64] = [:]
        for number in 1..<(1 << 20) as Range<UInt64> {
            let hash = EntryKey(namespace: policy.identity, key: CacheKey(low: number)).hash(seed: cache.tiers.seed)
            if let other = seen.updateValue(number, forKey: SpillMark(hash)) { return (other, number) }
        }
        throw Missed()
    }

    @Test("what one of them takes off the index does not come back after a kill when it was written anew")
    func forgottenByMark() async throws {
        let scene = scene()
        let (first, before) = scene.open()
        let (one, other) = try pair(first)
        before.put(Item(one, 1))
        await CacheScene.crowdOut(first, before, count: 400)
        before.put(Item(other, 1))
        before.put(Item(one, 2))
        let (second, after) = scene.open()
        await until { second.statistics.recovered != nil }
        #expect(await !after.isKnown(one))
    }

    @Test("who asks for one of them leaves the other where it is")
    func foreign() async throws {
        let (cache, items) = scene().open()
        let (one, other) = try pair(cache)
        items.put(Item(one))
        await CacheScene.crowdOut(cache, items, count: 400)
        #expect(await !items.isKnown(other))
        #expect(try await items.find(one) == Item(one))
        await cache.close()
    }

    @Test("of two that came to the disk one after the other neither is taken for the other, nor comes back after a kill")
    func bothOnDisk() async throws {
        let scene = scene()
        let (first, before) = scene.open()
        let (one, other) = try pair(first)
        before.put(Item(one, 1))
        before.put(Item(other, 1))
        await CacheScene.crowdOut(first, before, count: 400)
        for number in [one, other] {
            let found = try? await before.find(number)
            #expect(found == nil || found == Item(number, 1))
        }
        before.put(Item(one, 2))
        before.put(Item(other, 2))
        let (second, after) = scene.open()
        await until { second.statistics.recovered != nil }
        for number in [one, other] { #expect(await !after.isKnown(number)) }
    }

    @Test("one that became old in memory leaves the other on the disk")
    func stale() async throws {
        let (cache, items) = scene().open()
        let (one, other) = try pair(cache)
        let tag = CacheTag(kind: 1, 1)
        items.put(Item(one), tags: [tag])
        items.put(Item(other))
        // Read again and again, the first stays; the other goes to the disk.
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
        await cache.close()
    }
}
