import Glibc
import SparkCore
import SparkTestSupport
import Testing

@testable import SparkCache

@Suite("A disk that fails under the cache")
struct SpillFaultTests {
    /// Reads and writes more than memory holds. No call may fail and no value may be wrong.
    private func use(_ cache: Cache, _ items: CacheNamespace<CacheKey, Item>, seed: UInt64) async throws {
        var chance = SplitMix64(seed: seed)
        for step in 0..<1_500 {
            let key = chance.next() % 600
            let item = Item(key, size: 3_000)
            #expect(try await items.value(CacheKey(low: key), tags: []) { _ in item } == item)
            if step % 10 == 9 { await cache.drainSpill() }
        }
    }

    @Test(
        "a failing disk fails no request, and its failures are counted",
        arguments: ["ENOSPC", "EIO on write", "EIO on read", "torn", "open"])
    func faults(kind: String) async throws {
        let fixture = CacheFixture(memoryBytes: 800 << 10, diskBytes: 16 << 20)
        try await fixture.withCache { cache, items in
            try await use(cache, items, seed: 51)
            let before = cache.statistics
            switch kind {
            case "ENOSPC": fixture.files.faults.write = ENOSPC
            case "EIO on write": fixture.files.faults.write = EIO
            case "EIO on read": fixture.files.faults.read = EIO
            case "torn":
                fixture.files.faults.write = EIO
                fixture.files.faults.tornBytes = 100
            default:
                fixture.files.faults.open = EMFILE
                fixture.files.faults.write = EIO
            }
            try await use(cache, items, seed: 52)
            let after = cache.statistics
            let failures = (after.spill?.readFailures ?? 0) + (after.spill?.writeFailures ?? 0)
            #expect(failures > (before.spill?.readFailures ?? 0) + (before.spill?.writeFailures ?? 0))
            #expect(after.spill?.isOff == true)
            #expect(after.memoryBytes <= after.memoryBudget)
        }
    }

    @Test("a directory that cannot be made leaves a cache of memory alone")
    func noDirectory() async throws {
        let fixture = CacheFixture(memoryBytes: 800 << 10, diskBytes: 16 << 20)
        fixture.files.faults.makeDirectory = EACCES
        try await fixture.withCache { cache, items in
            try await use(cache, items, seed: 53)
            #expect(cache.statistics.spill?.isOff == true)
            #expect(cache.statistics.spilledEntries == 0)
        }
    }

    @Test("a cold read blocks no serving thread and counts as a hit")
    func cold() async throws {
        let fixture = CacheFixture(memoryBytes: 800 << 10, diskBytes: 16 << 20)
        try await fixture.withCache { cache, items in
            items.put(Item(1 << 50))
            await CacheFixture.crowdOut(cache, items)
            fixture.files.faults.isCold = true
            #expect(items.peek(1 << 50) == nil)
            #expect(try await items.find(1 << 50) == Item(1 << 50))
            #expect(cache.statistics.count("disk", "hit") == 1)
            try await use(cache, items, seed: 54)
        }
    }

    @Test("entries evicted before the spill was opened are written once it is open")
    func beforeOpening() async throws {
        let fixture = CacheFixture(memoryBytes: 800 << 10, diskBytes: 16 << 20)
        let cache = fixture.make()
        let items = cache.namespace(.plain, key: CacheKey.self, value: Item.self)
        for number in 0..<400 as Range<UInt64> { items.put(Item(number, size: 3_000)) }
        cache.open()
        try await until { cache.statistics.spilledEntries > 0 }
        await cache.drainSpill()
        let before = cache.statistics.spilledEntries
        for number in 400..<500 as Range<UInt64> { items.put(Item(number, size: 3_000)) }
        try await until { cache.statistics.spilledEntries > before }
        await cache.close()
    }
}
