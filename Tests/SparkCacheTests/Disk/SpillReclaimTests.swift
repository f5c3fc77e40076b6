import SparkCore
import Testing

@testable import SparkCache

@Suite("The spill keeps to its budget")
struct SpillReclaimTests {
    @Test("whole segments go, the oldest first, and their locations read as gone", arguments: [true, false])
    func reclaim(isWarm: Bool) throws {
        var chance = SplitMix64(seed: 21)
        let scene = SpillScene()
        scene.isWarm = isWarm
        scene.budget = 1 << 20
        let spill = scene.open()
        _ = spill.restoreStamps(into: scene.stamps)
        var written: [(SpilledEntry, SpillLocation)] = []
        for batch in 0..<60 {
            let entries = (0..<50).map { number in
                scene.entry(batch * 50 + number, (0..<1_000).map { _ in UInt8(truncatingIfNeeded: chance.next()) }, in: spill)
            }
            for (entry, location) in zip(entries, spill.append(entries)) { written.append((entry, try #require(location))) }
            #expect(scene.bytesOnDisk <= scene.budget)
            let manifest = isWarm ? try scene.bytes("manifest.spill").count : 0
            #expect(spill.counters.bytesOnDisk == scene.bytesOnDisk - manifest)
        }
        let live = written.map { spill.isLive($0.1) }
        let firstLive = try #require(live.firstIndex(of: true))
        #expect(live[firstLive...].allSatisfy { $0 })
        for (index, (entry, location)) in written.enumerated() {
            #expect(spill.value(location, entry.key) == (index < firstLive ? nil : entry.value))
        }
        let counters = spill.counters
        #expect(counters.segmentsReclaimed > 30 && counters.unsound == 0)
        #expect(counters.bytesOnDisk * 10 > scene.budget * 8)
    }

    @Test("a file that is taken away cannot be opened again: its salt is overwritten")
    func salt() throws {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let entry = scene.entry(1, [1, 2, 3], in: spill)
        _ = spill.append([entry])
        let segment = try #require(spill.storage.segments.all.first)
        spill.storage.retire(segment)
        // The blocks are freed, but this descriptor still sees them.
        let header = try POSIXFiles().readBytes(segment.descriptor, count: SpillSegment.headerBytes, at: 0)
        #expect(header.allSatisfy { $0 == 0 })
        #expect(scene.names("segment-").isEmpty)
    }

    @Test("a budget with no room for a segment writes nothing and breaks nothing")
    func noRoom() {
        let scene = SpillScene()
        scene.budget = 1_000
        let (spill, _) = scene.start()
        #expect(spill.append([scene.entry(1, [1], in: spill)]) == [nil])
        #expect(!spill.counters.isOff)
    }
}
