import SparkCore
import Testing

@testable import SparkCache

@Suite("Damage to the spill's files is a miss, never a wrong value")
struct SpillDamageTests {
    /// A closed spill of one small segment.
    private func scene() throws -> (scene: SpillScene, name: String, values: [EntryKey: [UInt8]]) {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let entries = [
            scene.entry(1, Array("a short value".utf8), tags: [CacheTag(kind: 1, 1)], in: spill),
            scene.entry(2, [UInt8](repeating: 66, count: 90), in: spill), scene.entry(3, [], in: spill),
        ]
        _ = spill.append(entries)
        spill.close(hottest: [], stamps: scene.stamps)
        let name = try #require(scene.names("segment-").first)
        return (scene, name, Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) }))
    }

    /// Reads everything by footer and by scan; the number of right values.
    private func rightValues(_ spill: Spill, _ values: [EntryKey: [UInt8]]) -> Int {
        let recovered = spill.recoveredIndex().index
        var right = 0
        for (key, value) in values {
            guard let location = recovered[key.hash(seed: spill.seed)], let back = spill.value(location, key) else { continue }
            #expect(back == value)
            right += 1
        }
        return right
    }

    @Test("every single bit flipped, with the spill open and when it is opened again")
    func bitFlips() throws {
        let (scene, name, values) = try scene()
        let sound = try scene.bytes(name)
        let (spill, _) = scene.start()
        let locations = spill.recoveredIndex().index
        #expect(locations.count == 3)
        let scan = try #require(spill.storage.segments.all.first)
        for bit in 0..<(sound.count * 8) {
            var bytes = sound
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try scene.overwrite(name, bytes)
            var right = 0
            for (key, value) in values {
                let location = try #require(locations[key.hash(seed: spill.seed)])
                guard let back = spill.value(location, key) else { continue }
                #expect(back == value)
                right += 1
            }
            #expect(right >= 2)
            // The same by a footer that is found sound, or by reading through.
            var visited = 0
            let segment = SegmentScan(scan, in: spill.storage)
            if let footer = try segment.footer() {
                footer.footer.visitPlaces { _, _, _, _ in visited += 1 }
                #expect(visited == 3)
            } else {
                _ = try segment.records { _, _ in visited += 1 }
                #expect(visited >= 2)
            }
        }
        try scene.overwrite(name, sound)
        for (key, value) in values {
            #expect(spill.value(try #require(locations[key.hash(seed: spill.seed)]), key) == value)
        }
    }

    @Test("every length it can be cut to, opened again")
    func truncation() throws {
        let (scene, name, values) = try scene()
        let sound = try scene.bytes(name)
        var contents = try scene.contents()
        for length in stride(from: 0, through: sound.count, by: 1) {
            contents[name] = Array(sound.prefix(length))
            try scene.restore(contents)
            let (spill, isRestored) = scene.start()
            #expect(isRestored)
            let right = rightValues(spill, values)
            if length == sound.count { #expect(right == 3) }
            if length < SpillSegment.headerBytes { #expect(right == 0) }
        }
    }

    @Test("a flipped bit is counted")
    func counted() throws {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let entry = scene.entry(1, [1, 2, 3], in: spill)
        let location = try #require(spill.append([entry])[0])
        let name = try #require(scene.names("segment-").first)
        var bytes = try scene.bytes(name)
        bytes[location.offset + SpillRecord.headerBytes(stamps: 0) + 1] ^= 4
        try scene.overwrite(name, bytes)
        #expect(spill.value(location, entry.key) == nil)
        #expect(spill.counters.unsound == 1)
        #expect(!spill.counters.isOff)
    }
}
