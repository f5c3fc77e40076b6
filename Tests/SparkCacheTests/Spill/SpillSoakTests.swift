import Foundation
import SparkCore
import SparkTestSupport
import Testing

@testable import SparkCache

@Suite("A large damaged spill", .serialized)
struct SpillSoakTests {
    private static let keys = 0..<UInt64(Scale.of(test: 6_000, soak: 1_150_000))

    /// Each twentieth key is written again, each hundred-and-first removed.
    private func current(_ key: UInt64) -> Item? { key % 101 == 0 ? nil : Item(key, key % 20 == 0 ? 2 : 1, size: 500) }

    private func fill(_ cache: Cache, _ items: CacheNamespace<CacheKey, Item>) async {
        for item in Self.keys.lazy.map({ Item($0, size: 500) }) + Self.keys.compactMap(current).filter({ $0.version == 2 }) {
            items.put(item, tags: [CacheTag(kind: 1, item.key)])
            if item.key % 60 == 0 { await cache.drainSpill() }
        }
        for key in Self.keys where current(key) == nil { items.remove(key) }
        await cache.drainSpill()
    }

    /// Cuts a third of the segments and flips a thousand bits of all.
    private func damage(_ fixture: CacheFixture, _ chance: inout SplitMix64) throws {
        let paths = try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path).filter {
            $0.hasPrefix("segment-")
        }
        let segments = try paths.sorted().map { try FileHandle(forUpdating: fixture.directory.appendingPathComponent($0)) }
        for place in stride(from: 1, to: segments.count, by: 3) {
            try segments[place].truncate(atOffset: chance.next() % segments[place].seekToEnd())
        }
        for flip in 0..<1_000 {
            let segment = segments[flip % segments.count]
            let place = chance.next() % max(1, try segment.seekToEnd())
            try segment.seek(toOffset: place)
            guard let byte = try segment.read(upToCount: 1)?.first else { continue }
            try segment.seek(toOffset: place)
            try segment.write(contentsOf: [byte ^ 1 << UInt8(chance.next() % 8)])
        }
    }

    @Test("every value read is right, and many are still there", arguments: SpillEnding.allCases)
    func damaged(ending: SpillEnding) async throws {
        var chance = SplitMix64(seed: 61)
        let (memory, disk) = (Scale.of(test: 1, soak: 64) << 20, Scale.of(test: 1_536, soak: 2 << 20) << 10)
        let fixture = CacheFixture(memoryBytes: memory, diskBytes: disk, isWarm: true)
        let (first, before) = fixture.open()
        await fill(first, before)
        #expect(first.statistics.spilledEntries >= Scale.of(test: 4_000, soak: 1_000_000))
        if ending == .clean { await first.close() }
        try damage(fixture, &chance)
        let (second, after) = fixture.open()
        try await until { second.statistics.recovered != nil }
        var counts = (right: 0, missing: 0, wrong: 0)
        for _ in 0..<Scale.of(test: 3_000, soak: 200_000) {
            let key = chance.next() % Self.keys.upperBound
            let found = try? await after.find(key)
            if found == current(key) { counts.right += 1 } else if found == nil { counts.missing += 1 } else { counts.wrong += 1 }
        }
        let spill = try #require(second.statistics.spill)
        if Scale.isSoak { print(ending, counts, second.statistics.recovered as Any, spill) }
        #expect(counts.wrong == 0 && counts.right > counts.missing / 2)
        #expect(spill.corrupt > 0 && spill.readFailures == 0 && !spill.isOff)
        await second.close()
    }
}
