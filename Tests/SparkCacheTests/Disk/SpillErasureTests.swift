import SparkCore
import Testing

@testable import SparkCache

@Suite("What is erased cannot be opened again")
struct SpillErasureTests {
    private let erased = CacheTag(kind: 1, 77)
    private let other = CacheTag(kind: 1, 78)

    private func write(_ scene: SpillScene, _ spill: Spill) -> [(entry: SpilledEntry, location: SpillLocation, isErased: Bool)] {
        var written: [(SpilledEntry, SpillLocation, Bool)] = []
        var chance = SplitMix64(seed: 51)
        for round in 0..<8 {
            // The same keys again and again: superseded copies in older segments.
            let entries = (0..<60).map { number in
                scene.entry(
                    number, (0..<300).map { _ in UInt8(truncatingIfNeeded: chance.next()) } + [UInt8(round)],
                    tags: number % 10 == 0 ? [other, erased] : [other], in: spill)
            }
            for (entry, location) in zip(entries, spill.append(entries)) {
                if let location { written.append((entry, location, entry.stamps.count == 2)) }
            }
        }
        return written
    }

    @Test("records with the slot are overwritten in every segment, superseded copies too; the others stay")
    func erases() throws {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let written = write(scene, spill)
        #expect(spill.counters.segments > 2)
        let before = try scene.names("segment-").map { try scene.bytes($0) }
        spill.erase(slots: [scene.stamps.stamp(of: erased).slot])
        let after = try scene.names("segment-").map { try scene.bytes($0) }
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
            // Nothing is left of payload and key.
            let stamps = SpillRecord.headerBytes(stamps: 2)
            #expect(after[index][range].dropFirst(stamps).allSatisfy { $0 == 0 })
            #expect(after[index][range].dropFirst(12).prefix(36).allSatisfy { $0 == 0 })
        }
        #expect(spill.counters.unsound == 0)
    }

    @Test("they do not come back at the next start", arguments: SpillEnding.allCases)
    func staysErased(ending: SpillEnding) {
        let scene = SpillScene()
        let (first, _) = scene.start()
        let written = write(scene, first)
        first.erase(slots: [scene.stamps.stamp(of: erased).slot])
        if ending == .clean { first.close(hottest: [], stamps: scene.stamps) }
        let (spill, _) = scene.start()
        let (index, result) = spill.recoveredIndex()
        #expect(result.unsoundBytes == 0)
        #expect(index.count == 54)
        for (entry, _, isErased) in written { #expect((index[entry.hash] == nil) == isErased) }
    }

    @Test("in a segment without a footer, after a kill, they are found by their headers")
    func withoutFooter() throws {
        let scene = SpillScene()
        let (first, _) = scene.start()
        let written = write(scene, first)
        let (spill, _) = scene.start()
        spill.erase(slots: [scene.stamps.stamp(of: erased).slot])
        let index = spill.recoveredIndex().index
        for (entry, _, isErased) in written { #expect((index[entry.hash] == nil) == isErased) }
        #expect(spill.counters.recordsErased == 48)
    }

    @Test("where overwriting fails the whole segment goes")
    func failing() {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let written = write(scene, spill)
        scene.files.faults.write = 5
        spill.erase(slots: [scene.stamps.stamp(of: erased).slot])
        scene.files.faults.write = nil
        for (entry, location, isErased) in written where isErased { #expect(spill.value(location, entry.key) == nil) }
        #expect(spill.counters.segments == 0 && scene.names("segment-").isEmpty)
    }

    @Test("where the segment cannot even be taken away, the next start begins cold")
    func nothingWorks() {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        _ = write(scene, spill)
        scene.files.faults.write = 5
        scene.files.faults.remove = 5
        spill.erase(slots: [scene.stamps.stamp(of: erased).slot])
        scene.files.faults = FaultyFiles.Faults()
        #expect(spill.counters.isWarmthLost)
        #expect(!scene.start().isRestored)
    }
}
