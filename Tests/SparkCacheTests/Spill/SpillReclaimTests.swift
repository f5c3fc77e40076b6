import SparkCore
import Testing

@testable import SparkCache

@Suite("The budget of the spill")
struct SpillReclaimTests {
    @Test("whole segments are removed, the oldest first, and reads of their locations return gone", arguments: [true, false])
    func reclaim(isWarm: Bool) throws {
        var chance = SplitMix64(seed: 21)
        let fixture = SpillFixture()
        fixture.isWarm = isWarm
        fixture.budget = 1 << 20
        let spill = fixture.open()
        _ = spill.restoreStamps(into: fixture.stamps)
        var written: [(SpilledEntry, SpillLocation)] = []
        for batch in 0..<60 {
            let entries = (0..<50).map { number in
                fixture.entry(batch * 50 + number, (0..<1_000).map { _ in UInt8(truncatingIfNeeded: chance.next()) }, in: spill)
            }
            for (entry, location) in zip(entries, spill.append(entries)) { written.append((entry, try #require(location))) }
            #expect(fixture.bytesOnDisk <= fixture.budget)
            let manifest = isWarm ? try fixture.bytes("manifest.spill").count : 0
            #expect(spill.counters.bytesOnDisk == fixture.bytesOnDisk - manifest)
        }
        let live = written.map { spill.isLive($0.1) }
        let firstLive = try #require(live.firstIndex(of: true))
        #expect(live[firstLive...].allSatisfy { $0 })
        for (index, (entry, location)) in written.enumerated() {
            #expect(spill.value(location, entry.key) == (index < firstLive ? nil : entry.value))
        }
        let counters = spill.counters
        #expect(counters.segmentsReclaimed > 30 && counters.corrupt == 0)
        #expect(counters.bytesOnDisk * 10 > fixture.budget * 8)
    }

    @Test("a removed segment cannot be decrypted, because its salt is overwritten")
    func salt() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let entry = fixture.entry(1, [1, 2, 3], in: spill)
        _ = spill.append([entry])
        let segment = try #require(spill.storage.segments.all.first)
        spill.storage.retire(segment)
        // The blocks are freed, but this descriptor still sees them.
        let header = try POSIXFiles().readBytes(segment.descriptor, count: SpillSegment.headerBytes, at: 0)
        #expect(header.allSatisfy { $0 == 0 })
        #expect(fixture.names("segment-").isEmpty)
    }

    @Test("a budget without room for a segment writes nothing and breaks nothing")
    func noRoom() {
        let fixture = SpillFixture()
        fixture.budget = 1_000
        let (spill, _) = fixture.start()
        #expect(spill.append([fixture.entry(1, [1], in: spill)]) == [nil])
        #expect(!spill.counters.isOff)
    }
}
