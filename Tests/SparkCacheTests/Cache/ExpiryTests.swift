import SparkCore
import Testing

@testable import SparkCache

@Suite("Expiry, grace and absence")
struct ExpiryTests {
    private struct Broken: Error {}
    private let key = CacheKey(low: 1)

    @Test("an entry is good to the last millisecond of its life, in both tiers, and never after")
    func exact() async throws {
        let scene = CacheScene(diskBytes: 16 << 20)
        let (cache, items) = scene.open()
        items.put(Item(1))
        await CacheScene.crowdOut(cache, items)
        items.put(Item(2))
        scene.clock.advance(by: .milliseconds(3_599_999))
        #expect(items.peek(2) == Item(2))
        #expect(try await items.find(1) == Item(1))
        await CacheScene.crowdOut(cache, items, from: 1 << 41)
        #expect(items.peek(1) == nil)
        scene.clock.advance(by: .milliseconds(1))
        #expect(await !items.isKnown(1))
        #expect(await !items.isKnown(2))
        await cache.close()
    }

    @Test("jitter shortens lives by up to its share, and spreads them")
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

    @Test("an expired entry is served while one load renews it", .timeLimit(.minutes(10)))
    func whileRevalidating() async throws {
        let scene = CacheScene()
        var policy = NamespacePolicy.plain
        policy.staleWhileRevalidate = .seconds(60)
        let (cache, items) = scene.open(policy)
        items.put(Item(1, 1))
        scene.clock.advance(by: .seconds(3_659))
        let (door, loads) = (Door(), Count())
        for _ in 0..<10 {
            let value = try await items.value(key, tags: []) { _ in
                loads.up()
                await door.pass()
                return Item(1, 2)
            }
            #expect(value == Item(1, 1))
            await until { loads.value == 1 }
        }
        await door.open()
        await until { items.peek(1) == Item(1, 2) }
        #expect(loads.value == 1)
        #expect(cache.statistics.count("l1", "stale") >= 10)
        scene.clock.advance(by: .seconds(3_660))
        #expect(try await items.value(key, tags: []) { _ in Item(1, 3) } == Item(1, 3))
    }

    @Test("an expired entry is served when the origin fails, for as long as that is allowed")
    func ifError() async throws {
        let scene = CacheScene()
        var policy = NamespacePolicy.plain
        policy.staleIfError = .seconds(60)
        let (_, items) = scene.open(policy)
        items.put(Item(1, 1))
        scene.clock.advance(by: .seconds(3_659))
        #expect(try await items.value(key, tags: []) { _ in throw Broken() } == Item(1, 1))
        #expect(try await items.value(key, tags: []) { _ in Item(1, 2) } == Item(1, 2))
        scene.clock.advance(by: .seconds(3_660))
        await #expect(throws: Broken.self) { try await items.value(key, tags: []) { _ in throw Broken() } }
    }

    @Test("what was invalidated is served in no grace, not even when that happens while the origin is failing")
    func neverStaleWhenInvalidated() async throws {
        let scene = CacheScene()
        var policy = NamespacePolicy.plain
        (policy.staleIfError, policy.staleWhileRevalidate) = (.seconds(600), .seconds(60))
        let (cache, items) = scene.open(policy)
        let tag = CacheTag(kind: 1, 1)
        items.put(Item(1, 1), tags: [tag])
        scene.clock.advance(by: .seconds(3_601))
        cache.invalidate([tag])
        await #expect(throws: Broken.self) { try await items.value(key, tags: [tag]) { _ in throw Broken() } }
        items.put(Item(1, 2), tags: [tag])
        scene.clock.advance(by: .seconds(3_800))
        await #expect(throws: Broken.self) {
            try await items.value(key, tags: [tag]) { _ in
                cache.invalidate([tag])
                throw Broken()
            }
        }
    }

    @Test("that there is no such thing is remembered for its own time, and is forgotten by a write or an invalidation")
    func absence() async throws {
        let scene = CacheScene()
        var policy = NamespacePolicy.plain
        (policy.negativeLifetime, policy.staleIfError) = (.seconds(10), .seconds(600))
        let (cache, items) = scene.open(policy)
        let tag = CacheTag(kind: 1, 1)
        func learnOfAbsence() async throws { #expect(try await items.value(key, tags: [tag]) { _ in nil } == nil) }
        try await learnOfAbsence()
        scene.clock.advance(by: .milliseconds(9_999))
        #expect(try await items.find(1) == nil)
        scene.clock.advance(by: .milliseconds(1))
        await #expect(throws: Missed.self) { try await items.find(1) }
        try await learnOfAbsence()
        cache.invalidate([tag])
        await #expect(throws: Missed.self) { try await items.find(1) }
        try await learnOfAbsence()
        items.put(Item(1))
        #expect(try await items.find(1) == Item(1))
    }

    @Test("an origin that has the thing no more ends the grace of the old value, though absence is not remembered")
    func absenceEndsGrace() async throws {
        let scene = CacheScene()
        var policy = NamespacePolicy.plain
        policy.staleIfError = .seconds(600)
        let (cache, items) = scene.open(policy)
        items.put(Item(1))
        scene.clock.advance(by: .seconds(3_601))
        #expect(try await items.value(key, tags: []) { _ in nil } == nil)
        await #expect(throws: Missed.self) { try await items.find(1) }
        #expect(cache.statistics.entries == 0)
    }

    @Test("a value that is too large is not kept, and takes away the one it replaces")
    func tooLarge() async throws {
        var policy = NamespacePolicy.plain
        policy.maximumValueBytes = 1_000
        let (cache, items) = CacheScene().open(policy)
        items.put(Item(1, 1, size: 1_000))
        #expect(items.peek(1) == Item(1, 1, size: 1_000))
        items.put(Item(1, 2, size: 1_001))
        #expect(items.peek(1) == nil)
        #expect(try await items.value(key, tags: []) { _ in Item(1, 3, size: 1_001) } == Item(1, 3, size: 1_001))
        #expect(items.peek(1) == nil)
        #expect(cache.statistics.namespaces[0].tooLarge == 2)
    }

    @Test("a sweep removes what expired or became old, and counts it")
    func sweep() {
        let scene = CacheScene()
        let (cache, items) = scene.open()
        let tag = CacheTag(kind: 1, 1)
        for number in 0..<100 as Range<UInt64> { items.put(Item(number), tags: number < 30 ? [tag] : []) }
        cache.invalidate([tag])
        scene.clock.advance(by: .seconds(1_800))
        for number in 100..<150 as Range<UInt64> { items.put(Item(number)) }
        for _ in 0..<4 { cache.sweep() }
        #expect(cache.statistics.entries == 120)
        scene.clock.advance(by: .seconds(1_800))
        for _ in 0..<4 { cache.sweep() }
        #expect(cache.statistics.entries == 50)
        #expect(cache.statistics.namespaces[0].swept == 100)
    }
}
