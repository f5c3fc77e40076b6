import SparkCore
import Testing

@testable import SparkCache

@Suite("Erasure from the spill")
struct SpillErasureTests {
    private let erased = CacheTag(kind: 1, 77)
    private let other = CacheTag(kind: 1, 78)

    private func write(_ fixture: SpillFixture, _ spill: Spill) -> [(
        entry: SpilledEntry, location: SpillLocation, isErased: Bool
    )] {
        var written: [(SpilledEntry, SpillLocation, Bool)] = []
        var chance = SplitMix64(seed: 51)
        for round in 0..<8 {
            // The same keys again and again: older segments have older copies.
            let entries = (0..<60).map { number in
                fixture.entry(
                    number, (0..<300).map { _ in UInt8(truncatingIfNeeded: chance.next()) } + [UInt8(round)],
                    tags: number % 10 == 0 ? [other, erased] : [other], in: spill)
            }
            for (entry, location) in zip(entries, spill.append(entries)) {
                if let location { written.append((entry, location, entry.stamps.count == 2)) }
            }
        }
        return written
    }

    @Test("erasing a slot overwrites its records in every segment, older copies included, and no others")
    func erases() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let written = write(fixture, spill)
        #expect(spill.counters.segments > 2)
        let before = try fixture.names("segment-").map { try fixture.bytes($0) }
        spill.erase(slots: [fixture.stamps.stamp(of: erased).slot])
        let after = try fixture.names("segment-").map { try fixture.bytes($0) }
        #expect(spill.counters.recordsErased == 48)
        let firstSlot = Int(try #require(spill.storage.segments.oldest).serial)
        for (entry, location, isErased) in written {
            #expect(spill.value(location, entry.key) == (isErased ? nil : entry.value))
            let index = location.segment - firstSlot
            let range = location.offset..<(location.offset + Int(location.length))
            guard isErased else {
                #expect(before[index][range] == after[index][range])
                continue
            }
            // Nothing of the payload and the key is left.
            let stamps = SpillRecord.headerBytes(stamps: 2)
            #expect(after[index][range].dropFirst(stamps).allSatisfy { $0 == 0 })
            #expect(after[index][range].dropFirst(12).prefix(36).allSatisfy { $0 == 0 })
        }
        #expect(spill.counters.corrupt == 0)
    }

    @Test("erased records do not come back at the next start", arguments: SpillEnding.allCases)
    func staysErased(ending: SpillEnding) {
        let fixture = SpillFixture()
        let (first, _) = fixture.start()
        let written = write(fixture, first)
        first.erase(slots: [fixture.stamps.stamp(of: erased).slot])
        if ending == .clean { first.close(hottest: [], stamps: fixture.stamps) }
        let (spill, _) = fixture.start()
        let (index, result) = spill.recoveredIndex()
        #expect(result.corruptBytes == 0)
        #expect(index.count == 54)
        for (entry, _, isErased) in written { #expect((index[entry.hash] == nil) == isErased) }
    }

    @Test("after a kill, records of a segment without a footer are found by their headers and erased")
    func withoutFooter() throws {
        let fixture = SpillFixture()
        let (first, _) = fixture.start()
        let written = write(fixture, first)
        let (spill, _) = fixture.start()
        spill.erase(slots: [fixture.stamps.stamp(of: erased).slot])
        let index = spill.recoveredIndex().index
        for (entry, _, isErased) in written { #expect((index[entry.hash] == nil) == isErased) }
        #expect(spill.counters.recordsErased == 48)
    }

    @Test("when overwriting fails the whole segment is removed")
    func failing() {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let written = write(fixture, spill)
        fixture.files.faults.write = 5
        spill.erase(slots: [fixture.stamps.stamp(of: erased).slot])
        fixture.files.faults.write = nil
        for (entry, location, isErased) in written where isErased { #expect(spill.value(location, entry.key) == nil) }
        #expect(spill.counters.segments == 0 && fixture.names("segment-").isEmpty)
    }

    @Test("when the segment cannot be removed either, the next start begins cold")
    func nothingWorks() {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        _ = write(fixture, spill)
        fixture.files.faults.write = 5
        fixture.files.faults.remove = 5
        spill.erase(slots: [fixture.stamps.stamp(of: erased).slot])
        fixture.files.faults = FaultyFiles.Faults()
        #expect(spill.counters.isWarmRestartLost)
        #expect(!fixture.start().isRestored)
    }
}
