import SparkCore
import Testing

@testable import SparkCache

@Suite("Damaged files of the spill")
struct SpillDamageTests {
    /// A closed spill of one small segment.
    private func fixture() throws -> (fixture: SpillFixture, name: String, values: [EntryKey: [UInt8]]) {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let entries = [
            fixture.entry(1, Array("a short value".utf8), tags: [CacheTag(kind: 1, 1)], in: spill),
            fixture.entry(2, [UInt8](repeating: 66, count: 90), in: spill), fixture.entry(3, [], in: spill),
        ]
        _ = spill.append(entries)
        spill.close(hottest: [], stamps: fixture.stamps)
        let name = try #require(fixture.names("segment-").first)
        return (fixture, name, Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) }))
    }

    /// Reads everything by footer and by scan, and counts the right values.
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

    @Test("any single flipped bit gives a miss or the right value, with the spill open and at the next start")
    func bitFlips() throws {
        let (fixture, name, values) = try fixture()
        let sound = try fixture.bytes(name)
        let (spill, _) = fixture.start()
        let locations = spill.recoveredIndex().index
        #expect(locations.count == 3)
        let scan = try #require(spill.storage.segments.all.first)
        for bit in 0..<(sound.count * 8) {
            var bytes = sound
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try fixture.overwrite(name, bytes)
            var right = 0
            for (key, value) in values {
                let location = try #require(locations[key.hash(seed: spill.seed)])
                guard let back = spill.value(location, key) else { continue }
                #expect(back == value)
                right += 1
            }
            #expect(right >= 2)
            // The same by an intact footer or by a scan.
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
        try fixture.overwrite(name, sound)
        for (key, value) in values {
            #expect(spill.value(try #require(locations[key.hash(seed: spill.seed)]), key) == value)
        }
    }

    @Test("a segment cut at any length gives a miss or the right value at the next start")
    func truncation() throws {
        let (fixture, name, values) = try fixture()
        let sound = try fixture.bytes(name)
        var contents = try fixture.contents()
        for length in stride(from: 0, through: sound.count, by: 1) {
            contents[name] = Array(sound.prefix(length))
            try fixture.restore(contents)
            let (spill, isRestored) = fixture.start()
            #expect(isRestored)
            let right = rightValues(spill, values)
            if length == sound.count { #expect(right == 3) }
            if length < SpillSegment.headerBytes { #expect(right == 0) }
        }
    }

    @Test("a flipped bit is counted as corrupt")
    func counted() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let entry = fixture.entry(1, [1, 2, 3], in: spill)
        let location = try #require(spill.append([entry])[0])
        let name = try #require(fixture.names("segment-").first)
        var bytes = try fixture.bytes(name)
        bytes[location.offset + SpillRecord.headerBytes(stamps: 0) + 1] ^= 4
        try fixture.overwrite(name, bytes)
        #expect(spill.value(location, entry.key) == nil)
        #expect(spill.counters.corrupt == 1)
        #expect(!spill.counters.isOff)
    }
}
