import SparkCore
import SparkTestSupport
import Testing

@testable import SparkCache

@Suite("Expiry, stale values and absence")
struct ExpiryTests {
    private struct Broken: Error {}
    private let key = CacheKey(low: 1)

    @Test("an entry is served until the last millisecond of its lifetime, from memory and from the disk, and never after")
    func exact() async throws {
        let fixture = CacheFixture(diskBytes: 16 << 20)
        try await fixture.withCache { cache, items async throws in
            items.put(Item(1))
            await CacheFixture.crowdOut(cache, items)
            items.put(Item(2))
            fixture.clock.advance(by: .milliseconds(3_599_999))
            #expect(items.peek(2) == Item(2))
            #expect(try await items.find(1) == Item(1))
            await CacheFixture.crowdOut(cache, items, from: 1 << 41)
            #expect(items.peek(1) == nil)
            fixture.clock.advance(by: .milliseconds(1))
            #expect(await !items.isKnown(1))
            #expect(await !items.isKnown(2))
        }
    }

    @Test("jitter shortens lifetimes by up to its share and spreads them evenly")
    func jitter() {
        var policy = NamespacePolicy.plain
        policy.jitter = 0.25
        let rules = NamespaceRules(policy, ordinal: 0, overhead: 0)
        let ends = (0..<1_000 as Range<UInt64>).map { rules.expiry(1_000_000, now: 5, hash: SplitMix64.mix($0)) }
        #expect(ends.allSatisfy { (750_005...1_000_005).contains($0) })
        for part in stride(from: 750_005, to: 1_000_005, by: 50_000) as StrideTo<Int64> {
            #expect((150...250).contains(ends.filter { $0 >= part && $0 < part + 50_000 }.count))
        }
        #expect(rules.expiry(.max, now: 5, hash: 1) == .max)
    }

    @Test("an expired entry is served while one load replaces it", .timeLimit(.minutes(20)))
    func whileRevalidating() async throws {
        let fixture = CacheFixture()
        var policy = NamespacePolicy.plain
        policy.staleWhileRevalidate = .seconds(60)
        let (cache, items) = fixture.open(policy)
        items.put(Item(1, 1))
        fixture.clock.advance(by: .seconds(3_659))
        let (latch, loads) = (Latch(), Count())
        for _ in 0..<10 {
            let value = try await items.value(key, tags: []) { _ in
                loads.up()
                await latch.pass()
                return Item(1, 2)
            }
            #expect(value == Item(1, 1))
            try await until { loads.value == 1 }
        }
        await latch.open()
        try await until { items.peek(1) == Item(1, 2) }
        #expect(loads.value == 1)
        #expect(cache.statistics.count("l1", "stale") >= 10)
        fixture.clock.advance(by: .seconds(3_660))
        #expect(try await items.value(key, tags: []) { _ in Item(1, 3) } == Item(1, 3))
    }

    @Test("an expired entry is served when the origin fails, for as long as the policy allows")
    func ifError() async throws {
        let fixture = CacheFixture()
        var policy = NamespacePolicy.plain
        policy.staleIfError = .seconds(60)
        let (_, items) = fixture.open(policy)
        items.put(Item(1, 1))
        fixture.clock.advance(by: .seconds(3_659))
        #expect(try await items.value(key, tags: []) { _ in throw Broken() } == Item(1, 1))
        #expect(try await items.value(key, tags: []) { _ in Item(1, 2) } == Item(1, 2))
        fixture.clock.advance(by: .seconds(3_660))
        await #expect(throws: Broken.self) { try await items.value(key, tags: []) { _ in throw Broken() } }
    }

    @Test("an invalidated entry is never served stale, even when it is invalidated while the origin fails")
    func neverStaleWhenInvalidated() async throws {
        let fixture = CacheFixture()
        var policy = NamespacePolicy.plain
        (policy.staleIfError, policy.staleWhileRevalidate) = (.seconds(600), .seconds(60))
        let (cache, items) = fixture.open(policy)
        let tag = CacheTag(kind: 1, 1)
        items.put(Item(1, 1), tags: [tag])
        fixture.clock.advance(by: .seconds(3_601))
        cache.invalidate([tag])
        await #expect(throws: Broken.self) { try await items.value(key, tags: [tag]) { _ in throw Broken() } }
        items.put(Item(1, 2), tags: [tag])
        fixture.clock.advance(by: .seconds(3_800))
        await #expect(throws: Broken.self) {
            try await items.value(key, tags: [tag]) { _ in
                cache.invalidate([tag])
                throw Broken()
            }
        }
    }

    @Test("an absence is cached for its own lifetime, and a write or an invalidation ends it")
    func absence() async throws {
        let fixture = CacheFixture()
        var policy = NamespacePolicy.plain
        (policy.negativeLifetime, policy.staleIfError) = (.seconds(10), .seconds(600))
        let (cache, items) = fixture.open(policy)
        let tag = CacheTag(kind: 1, 1)
        func learnOfAbsence() async throws { #expect(try await items.value(key, tags: [tag]) { _ in nil } == nil) }
        try await learnOfAbsence()
        fixture.clock.advance(by: .milliseconds(9_999))
        #expect(try await items.find(1) == nil)
        fixture.clock.advance(by: .milliseconds(1))
        await #expect(throws: NotCached.self) { try await items.find(1) }
        try await learnOfAbsence()
        cache.invalidate([tag])
        await #expect(throws: NotCached.self) { try await items.find(1) }
        try await learnOfAbsence()
        items.put(Item(1))
        #expect(try await items.find(1) == Item(1))
    }

    @Test("an origin that no longer has the thing ends the grace of the old value, even when absences are not cached")
    func absenceEndsGrace() async throws {
        let fixture = CacheFixture()
        var policy = NamespacePolicy.plain
        policy.staleIfError = .seconds(600)
        let (cache, items) = fixture.open(policy)
        items.put(Item(1))
        fixture.clock.advance(by: .seconds(3_601))
        #expect(try await items.value(key, tags: []) { _ in nil } == nil)
        await #expect(throws: NotCached.self) { try await items.find(1) }
        #expect(cache.statistics.entries == 0)
    }

    @Test("a value that is too large is not cached and removes the one it replaces")
    func tooLarge() async throws {
        var policy = NamespacePolicy.plain
        policy.maximumValueBytes = 1_000
        let (cache, items) = CacheFixture().open(policy)
        items.put(Item(1, 1, size: 1_000))
        #expect(items.peek(1) == Item(1, 1, size: 1_000))
        items.put(Item(1, 2, size: 1_001))
        #expect(items.peek(1) == nil)
        #expect(try await items.value(key, tags: []) { _ in Item(1, 3, size: 1_001) } == Item(1, 3, size: 1_001))
        #expect(items.peek(1) == nil)
        #expect(cache.statistics.namespaces[0].tooLarge == 2)
    }

    @Test("a sweep removes expired and invalidated entries and counts them")
    func sweep() {
        let fixture = CacheFixture()
        let (cache, items) = fixture.open()
        let tag = CacheTag(kind: 1, 1)
        for number in 0..<100 as Range<UInt64> { items.put(Item(number), tags: number < 30 ? [tag] : []) }
        cache.invalidate([tag])
        fixture.clock.advance(by: .seconds(1_800))
        for number in 100..<150 as Range<UInt64> { items.put(Item(number)) }
        for _ in 0..<4 { cache.sweep() }
        #expect(cache.statistics.entries == 120)
        fixture.clock.advance(by: .seconds(1_800))
        for _ in 0..<4 { cache.sweep() }
        #expect(cache.statistics.entries == 50)
        #expect(cache.statistics.namespaces[0].swept == 100)
    }
}
