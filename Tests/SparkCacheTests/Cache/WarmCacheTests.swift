import SparkCore
import SparkTestSupport
import Testing

@testable import SparkCache

@Suite("Warm restarts of the cache")
struct WarmCacheTests {
    private let tag = CacheTag(kind: 1, 1)
    private func fixture() -> CacheFixture { CacheFixture(memoryBytes: 800 << 10, diskBytes: 16 << 20, isWarm: true) }

    private func reopen(_ fixture: CacheFixture) async throws -> (cache: Cache, items: CacheNamespace<CacheKey, Item>) {
        let (cache, items) = fixture.open()
        try await until { cache.statistics.recovered != nil }
        return (cache, items)
    }

    @Test("after a clean stop all entries of memory and disk are there, and the hottest are in memory again")
    func cleanStop() async throws {
        let fixture = fixture()
        let (first, before) = fixture.open()
        for number in 0..<40 as Range<UInt64> { before.put(Item(number), tags: [tag]) }
        await CacheFixture.crowdOut(first, before, count: 400)
        for number in 40..<80 as Range<UInt64> {
            before.put(Item(number))
            for _ in 0..<3 { _ = before.peek(number) }
        }
        await first.close()
        let (second, after) = try await reopen(fixture)
        try await until { (40..<80).allSatisfy { after.peek($0) == Item($0) } }
        for number in 0..<80 as Range<UInt64> { #expect(try await after.find(number) == Item(number)) }
        second.invalidate([tag])
        for number in 0..<40 as Range<UInt64> { #expect(await !after.isKnown(number)) }
        await second.close()
        let (_, last) = try await reopen(fixture)
        for number in 0..<80 as Range<UInt64> { #expect(await last.isKnown(number) == (number >= 40)) }
    }

    @Test("after a kill the spilled entries are there, without any that was replaced, removed, invalidated or announced")
    func kill() async throws {
        let fixture = fixture()
        let (first, before) = fixture.open()
        for number in 0..<10 as Range<UInt64> { before.put(Item(number), tags: [CacheTag(kind: 2, number)]) }
        await CacheFixture.crowdOut(first, before, count: 400)
        before.put(Item(0, 2))
        before.remove(1)
        first.invalidate([CacheTag(kind: 2, 2)])
        first.announce([CacheTag(kind: 2, 3)])
        before.put(Item(4, 2, size: 300_000))
        // From here on the first cache counts as killed.
        let (_, after) = try await reopen(fixture)
        for number in 0..<10 as Range<UInt64> { #expect(await after.isKnown(number) == (number >= 5)) }
    }

    @Test("an entry that was replaced on its way to the disk is not recovered after a kill")
    func replacedOnTheWay() async throws {
        let fixture = fixture()
        let (first, before) = fixture.open()
        for round in 0..<40 as Range<UInt64> {
            for number in 0..<40 as Range<UInt64> { before.put(Item(number, 1_000 + round, size: 8_000)) }
            for number in 0..<40 as Range<UInt64> where number % 3 != 0 { before.put(Item(number, 2_000 + round, size: 8_000)) }
            for number in 0..<40 as Range<UInt64> where number % 3 == 0 { before.remove(number) }
        }
        await first.drainSpill()
        let (_, after) = try await reopen(fixture)
        for number in 0..<40 as Range<UInt64> {
            let found = try? await after.find(number)
            #expect(found == nil || found == Item(number, 2_039, size: 8_000) && number % 3 != 0)
        }
    }

    @Test("the recovery of the old index does not undo writes and removals made meanwhile")
    func duringRecovery() async throws {
        let fixture = fixture()
        let (first, before) = fixture.open()
        for number in 0..<2_000 as Range<UInt64> {
            before.put(Item(number))
            if number % 100 == 99 { await first.drainSpill() }
        }
        await first.close()
        let (second, after) = fixture.open()
        for number in 0..<2_000 as Range<UInt64> {
            if number % 2 == 0 { after.put(Item(number, 2)) } else { after.remove(number) }
        }
        try await until { second.statistics.recovered != nil }
        for number in 0..<2_000 as Range<UInt64> {
            let found = try? await after.find(number)
            #expect(number % 2 == 0 ? found == nil || found == Item(number, 2) : found == nil)
        }
        await second.close()
    }

    @Test("an entry of another version of its namespace is not found")
    func otherVersion() async throws {
        let fixture = fixture()
        let (first, before) = fixture.open()
        before.put(Item(1))
        await first.close()
        var policy = NamespacePolicy.plain
        policy.version = 2
        let (second, after) = fixture.open(policy)
        try await until { second.statistics.recovered != nil }
        #expect(await !after.isKnown(1))
        await second.close()
    }
}
