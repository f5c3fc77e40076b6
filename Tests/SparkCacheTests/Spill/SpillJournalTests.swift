import SparkCore
import Testing

@testable import SparkCache

@Suite("The journal of the spill")
struct SpillLedgerTests {
    /// Invalidates at random; each invalidation is noted before it happens.
    private func invalidate(_ count: Int, _ fixture: SpillFixture, _ spill: Spill, _ chance: inout SplitMix64) {
        for _ in 0..<count {
            let tag = CacheTag(kind: 1, chance.next() % 3_000)
            let stamp = fixture.stamps.stamp(of: tag)
            spill.noteInvalidations([Stamp(slot: stamp.slot, version: stamp.version + 1)])
            fixture.stamps.invalidate(tag)
        }
    }

    @Test("every stamp comes back, after a clean stop and after a kill", arguments: SpillEnding.allCases)
    func comeBack(ending: SpillEnding) {
        var chance = SplitMix64(seed: 41)
        let fixture = SpillFixture()
        var expected = fixture.stamps.versions
        for round in 0..<4 {
            let (spill, isRestored) = fixture.start()
            #expect(isRestored == (round > 0))
            #expect(fixture.stamps.versions == expected)
            invalidate(2_000, fixture, spill, &chance)
            expected = fixture.stamps.versions
            if ending == .clean { spill.close(hottest: [], stamps: fixture.stamps) }
        }
    }

    @Test("an invalidation announced before a clean stop counts, whether or not it has happened by then")
    func announcedAtTheEnd() {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let (one, other) = (CacheTag(kind: 1, 1), CacheTag(kind: 1, 2))
        let read = [one, other].map(fixture.stamps.stamp(of:))
        spill.noteInvalidations(read)
        fixture.stamps.invalidate(other)
        spill.close(hottest: [], stamps: fixture.stamps)
        let (_, isRestored) = fixture.start()
        #expect(isRestored)
        #expect(!read.contains(where: fixture.stamps.isCurrent))
    }

    @Test("two commits that note the same slot before either is visible count as two")
    func concurrentNotes() {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let stamp = fixture.stamps.stamp(of: CacheTag(kind: 1, 1))
        for _ in 0..<2 { spill.noteInvalidations([Stamp(slot: stamp.slot, version: stamp.version + 1)]) }
        _ = fixture.start()
        #expect(fixture.stamps.versions[Int(stamp.slot)] == 2)
    }

    @Test("a torn last record is ignored, and the whole ones before it count")
    func torn() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        for version in 1...3 { spill.noteInvalidations([Stamp(slot: 7, version: UInt32(version))]) }
        let name = try #require(fixture.names("log-").first)
        var contents = try fixture.contents()
        let log = try fixture.bytes(name)
        for cut in 1..<StampLog.recordBytes {
            contents[name] = Array(log.dropLast(cut))
            try fixture.restore(contents)
            let (_, isRestored) = fixture.start()
            #expect(isRestored)
            #expect(fixture.stamps.versions[7] == 2)
        }
    }

    @Test("a flipped bit in log, snapshot or manifest discards the spill")
    func flipped() throws {
        var chance = SplitMix64(seed: 43)
        let fixture = SpillFixture()
        do {
            let (spill, _) = fixture.start()
            _ = spill.append([fixture.entry(1, [1], in: spill)])
            invalidate(20, fixture, spill, &chance)
        }
        let contents = try fixture.contents()
        for (name, bytes) in contents.sorted(by: { $0.key < $1.key }) where !name.hasPrefix("segment-") {
            for _ in 0..<60 {
                let bit = Int(chance.next() % UInt64(bytes.count * 8))
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                try fixture.restore(contents.merging([name: flipped]) { $1 })
                let (spill, isRestored) = fixture.start()
                #expect(!isRestored, "bit \(bit) of \(name)")
                #expect(spill.recoveredIndex().index.isEmpty)
                // The next start does not find either what this one must not use.
                let (next, _) = fixture.start()
                #expect(next.recoveredIndex().index.isEmpty)
            }
        }
    }

    @Test("a table of another size discards the spill")
    func otherSize() {
        let fixture = SpillFixture()
        _ = fixture.start()
        fixture.stamps = StampTable(count: 2_048)
        #expect(!fixture.start().isRestored)
    }

    @Test("a long log is folded into a snapshot without a loss")
    func compaction() throws {
        var chance = SplitMix64(seed: 44)
        let fixture = SpillFixture()
        fixture.budget = 16 << 20
        let (spill, _) = fixture.start()
        let entries = (0..<3).map { fixture.entry($0, [UInt8($0)], in: spill) }
        _ = spill.append(entries)
        spill.noteForgotten([entries[1].hash])
        let first = try #require(fixture.names("log-").first)
        var noted = 0
        while noted < 180_000 {
            let stamps = (0..<1_000).map { _ in fixture.stamps.invalidate(CacheTag(kind: 1, chance.next() % 3_000)) }
            spill.noteInvalidations(stamps)
            noted += stamps.count
        }
        _ = spill.append([fixture.entry(9, [9], in: spill)])
        #expect(fixture.names("log-") != [first] && fixture.names("log-").count == 1)
        let expected = fixture.stamps.versions
        let (next, isRestored) = fixture.start()
        #expect(isRestored && fixture.stamps.versions == expected)
        let (index, result) = next.recoveredIndex()
        #expect(result.forgotten == 1 && index[entries[1].hash] == nil && index.count == 3)
    }
}
