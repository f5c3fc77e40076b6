import SparkCore
import Testing

@testable import SparkCache

@Suite("Hints from sessions")
struct SessionHintTests {
    private var policy: NamespacePolicy {
        var policy = NamespacePolicy.plain
        policy.followsSessions = true
        return policy
    }

    @Test("one who comes has their entries brought back from the disk, also when the disk is cold", arguments: [false, true])
    func began(isCold: Bool) async throws {
        let scene = CacheScene(diskBytes: 16 << 20)
        let (cache, items) = scene.open(policy)
        items.put(Item(1))
        await CacheScene.crowdOut(cache, items)
        #expect(items.peek(1) == nil)
        scene.files.faults.isCold = isCold
        await cache.sessionBegan(CacheKey(low: 1))
        #expect(items.peek(1) == Item(1))
        await cache.sessionBegan(CacheKey(low: 2))
        #expect(items.peek(2) == nil)
        await cache.close()
    }

    @Test("entries that no tier has are loaded ahead where a load is known")
    func loadedAhead() async throws {
        let (cache, items) = CacheScene().open(policy)
        items.loadAhead { [weak items] key in items?.put(Item(key.low, 5)) }
        items.put(Item(1, 1))
        await cache.sessionBegan(CacheKey(low: 1))
        await cache.sessionBegan(CacheKey(low: 2))
        #expect(items.peek(1) == Item(1, 1))
        #expect(items.peek(2) == Item(2, 5))
    }

    @Test("the entries of one who leaves go first, however often they were read; unless the person comes back")
    func ended() async throws {
        let scene = CacheScene(memoryBytes: 800 << 10)
        let (cache, items) = scene.open(policy)
        for number in 0..<100 as Range<UInt64> { items.put(Item(number, size: 2_000)) }
        for _ in 0..<5 { for number in 0..<40 as Range<UInt64> { _ = items.peek(number) } }
        for number in 0..<20 as Range<UInt64> { cache.sessionEnded(CacheKey(low: number)) }
        for number in 0..<10 as Range<UInt64> { await cache.sessionBegan(CacheKey(low: number)) }
        var left: [UInt64] = []
        for filler in 1_000..<3_000 as Range<UInt64> where left.count < 10 {
            items.put(Item(filler, size: 2_000))
            left = cache.tiers.shards.all.flatMap { shard in
                (0..<40).filter { number in
                    let key = EntryKey(namespace: items.policy.identity, key: CacheKey(low: number))
                    return !shard.withLock { $0.contains(key, key.hash(seed: cache.tiers.seed)) }
                }
            }
        }
        #expect(left == Array(10..<20))
    }

    @Test("namespaces that do not follow sessions are left as they are")
    func others() async throws {
        let scene = CacheScene(diskBytes: 16 << 20)
        let (cache, items) = scene.open()
        items.put(Item(1))
        await CacheScene.crowdOut(cache, items)
        await cache.sessionBegan(CacheKey(low: 1))
        #expect(items.peek(1) == nil)
        await cache.close()
    }
}
