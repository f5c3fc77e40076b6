import SparkCore
import Testing

@testable import SparkCache

@Suite("Invalidation by tags")
struct InvalidationTests {
    private func tag(_ number: UInt64) -> CacheTag { CacheTag(kind: 9, number) }

    @Test("an invalidation makes entries with the tag stale, in memory and on the disk, and no others, without touching an entry")
    func bothTiers() async throws {
        let fixture = CacheFixture(diskBytes: 16 << 20)
        try await fixture.withCache { cache, items async throws in
            for number in 0..<20 as Range<UInt64> { items.put(Item(number), tags: [tag(number % 2), tag(100 + number)]) }
            await CacheFixture.crowdOut(cache, items)
            for number in 20..<40 as Range<UInt64> { items.put(Item(number), tags: [tag(number % 2), tag(100 + number)]) }
            #expect((0..<20).allSatisfy { items.peek($0) == nil })
            #expect(try await items.find(4) == Item(4))
            #expect(try await items.find(5) == Item(5))
            // Entries that made room for them may still be on their way to the disk.
            await cache.drainSpill()
            let before = cache.statistics
            cache.invalidate([tag(1)])
            #expect((cache.statistics.entries, cache.statistics.spilledEntries) == (before.entries, before.spilledEntries))
            for number in 0..<40 as Range<UInt64> { #expect(await items.isKnown(number) == (number % 2 == 0)) }
            #expect(cache.statistics.count("disk", "invalidated") == 9)
            #expect(cache.statistics.count("l1", "invalidated") == 11)
        }
    }

    @Test("an entry depends on up to fifteen tags, in memory and on the disk; with sixteen it is not cached")
    func manyTags() async throws {
        try await CacheFixture(diskBytes: 16 << 20).withCache { cache, items in
            let tags = (0..<16 as Range<UInt64>).map(tag)
            for isSpilled in [false, true] {
                for number in (isSpilled ? [0, 1, 7, 14] : Array(0..<15)) as [UInt64] {
                    items.put(Item(1), tags: Array(tags.prefix(15)))
                    if isSpilled { await CacheFixture.crowdOut(cache, items, from: (number + 1) << 20) }
                    #expect((items.peek(1) == nil) == isSpilled)
                    if number == 14 { #expect(await items.isKnown(1)) }
                    cache.invalidate([tag(number)])
                    #expect(await !items.isKnown(1))
                }
            }
            items.put(Item(2))
            items.put(Item(2, 2), tags: tags)
            #expect(await !items.isKnown(2))
            #expect(cache.statistics.namespaces[0].tooLarge == 1)
        }
    }

    @Test("a dependency that the load declares counts from then on, and a value invalidated during the load is not cached")
    func declared() async throws {
        let (cache, items) = CacheFixture().open()
        let load: @Sendable (Dependencies) -> Item? = { dependencies in
            dependencies.depend(on: tag(2))
            return Item(1)
        }
        _ = try await items.value(CacheKey(low: 1), tags: [tag(1)]) { load($0) }
        #expect(items.peek(1) == Item(1))
        cache.invalidate([tag(2)])
        #expect(items.peek(1) == nil)
        _ = try await items.value(CacheKey(low: 1), tags: [tag(1)]) { dependencies in
            defer { cache.invalidate([tag(2)]) }
            return load(dependencies)
        }
        #expect(items.peek(1) == nil)
    }

    @Test("a value read after its dependencies were taken is cached only while they are current")
    func dependencies() {
        let (cache, items) = CacheFixture().open()
        let early = cache.dependencies(on: [tag(1)])
        items.put(CacheKey(low: 1), Item(1), dependencies: early)
        #expect(items.peek(1) == Item(1))
        cache.invalidate([tag(1)])
        #expect(!early.areCurrent)
        items.put(CacheKey(low: 1), Item(1, 2), dependencies: early)
        #expect(items.peek(1) == nil)
    }

    @Test("erasing leaves nothing of an entry on the disk, even when it was on its way there")
    func erasure() async throws {
        let fixture = CacheFixture(diskBytes: 16 << 20)
        try await fixture.withCache { cache, items in
            for number in 0..<50 as Range<UInt64> { items.put(Item(number, size: 2_000), tags: [tag(7)]) }
            await CacheFixture.crowdOut(cache, items)
            for number in 50..<500 as Range<UInt64> { items.put(Item(number, size: 2_000), tags: [tag(7)]) }
            await cache.erase([tag(7)])
            for number in 0..<500 as Range<UInt64> { #expect(await !items.isKnown(number)) }
            for shard in cache.engine.shards.all { #expect(shard.withLock { $0.pendingSpillCount } == 0) }
        }
    }

    @Test("tags are equal exactly when kind and number are, however close the names and numbers")
    func distinctTags() {
        let kinds = (["a.b", "a.c", "b.b", "ab.", "a.bb", ""] as [StaticString]).map { CacheTagKind($0) }
        let tags = kinds.flatMap { kind in (0..<100 as Range<UInt64>).map { CacheTag(kind, $0) } }
        #expect(Set(tags).count == 600)
        #expect(CacheTagKind("a.b") == CacheTagKind("a.b"))
        #expect(CacheTag(CacheTagKind("a.b"), 7) == CacheTag(CacheTagKind("a.b"), 7))
        #expect(CacheTagKind("a.b").name == "a.b")
        #expect(Set((0..<10_000).map { CacheTagKind.seed(of: "module.kind\($0)".utf8) }).count == 10_000)
    }
}
