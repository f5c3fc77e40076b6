import SparkCore
import Testing

@testable import SparkCache

@Suite("Images of a cache")
struct CacheImageTests {
    private func tag(_ number: UInt64) -> CacheTag { CacheTag(kind: 9, number) }

    @Test("a restore brings back the entries of the image and no others; they depend on their tags as before")
    func entries() async throws {
        try await CacheFixture(memoryBytes: 4 << 20).withCache { cache, items in
            for number in 0..<30 as Range<UInt64> {
                // From none to five tags.
                items.put(Item(number), tags: (0..<number % 6).map { tag(number * 10 + $0) })
            }
            cache.invalidate([tag(51)])
            let image = cache.capture()
            #expect(image.count == 29)
            for round in 0..<3 as Range<UInt64> {
                items.put(Item(1, size: 77))
                items.remove(2)
                items.put(Item(1_000 + round))
                cache.invalidate([tag(130), tag(144)])
                cache.restore(image)
                for number in 0..<30 as Range<UInt64> {
                    #expect(items.peek(CacheKey(low: number)) == (number == 5 ? nil : Item(number)), "\(number)")
                }
                #expect(items.peek(CacheKey(low: 1_000 + round)) == nil)
                #expect(cache.statistics.entries == 29)
            }
            // The last of five tags is beyond those in the record itself.
            cache.invalidate([tag(114), tag(132)])
            cache.restore(image)
            cache.invalidate([tag(114)])
            #expect(items.peek(CacheKey(low: 11)) == nil)
            #expect(items.peek(CacheKey(low: 13)) == Item(13))
        }
    }

    @Test("a load that was under way at a restore is answered, but not kept")
    func load() async throws {
        try await CacheFixture().withCache { cache, items in
            let image = cache.capture()
            let value = try await items.value(CacheKey(low: 1), tags: []) { _ in
                cache.restore(image)
                return Item(1)
            }
            #expect(value == Item(1))
            #expect(items.peek(CacheKey(low: 1)) == nil)
        }
    }

    @Test("what is in the spill is not part of an image, and is gone after a restore")
    func spill() async throws {
        try await CacheFixture(diskBytes: 16 << 20).withCache { cache, items async throws in
            for number in 0..<20 as Range<UInt64> { items.put(Item(number), tags: [tag(number)]) }
            await CacheFixture.crowdOut(cache, items)
            // The read brings it back to memory.
            #expect(await items.isKnown(4))
            let image = cache.capture()
            cache.restore(image)
            #expect(await items.isKnown(4))
            #expect(await items.isKnown(6) == false)
            #expect(cache.statistics.entries == image.count)
        }
    }
}
