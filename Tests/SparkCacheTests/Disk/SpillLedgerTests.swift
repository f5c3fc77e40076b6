import SparkCore
import Testing

@testable import SparkCache

@Suite("Stamps outlive the process")
struct SpillLedgerTests {
    /// Invalidates at random, each noted before it is done.
    private func invalidate(_ count: Int, _ scene: SpillScene, _ spill: Spill, _ chance: inout SplitMix64) {
        for _ in 0..<count {
            let tag = CacheTag(kind: 1, chance.next() % 3_000)
            let stamp = scene.stamps.stamp(of: tag)
            spill.noteInvalidations([Stamp(slot: stamp.slot, version: stamp.version + 1)])
            scene.stamps.invalidate(tag)
        }
    }

    @Test("every counter comes back, after a clean stop and after a kill", arguments: SpillEnding.allCases)
    func comeBack(ending: SpillEnding) {
        var chance = SplitMix64(seed: 41)
        let scene = SpillScene()
        var expected = scene.stamps.versions
        for round in 0..<4 {
            let (spill, isRestored) = scene.start()
            #expect(isRestored == (round > 0))
            #expect(scene.stamps.versions == expected)
            invalidate(2_000, scene, spill, &chance)
            expected = scene.stamps.versions
            if ending == .clean { spill.close(hottest: [], stamps: scene.stamps) }
        }
    }

    @Test("what was announced before a clean stop counts, whether or not it was invalidated by then")
    func announcedAtTheEnd() {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let (one, other) = (CacheTag(kind: 1, 1), CacheTag(kind: 1, 2))
        let read = [one, other].map(scene.stamps.stamp(of:))
        spill.noteInvalidations(read)
        scene.stamps.invalidate(other)
        spill.close(hottest: [], stamps: scene.stamps)
        let (_, isRestored) = scene.start()
        #expect(isRestored)
        #expect(!read.contains(where: scene.stamps.isCurrent))
    }

    @Test("two commits that noted one slot before either was seen count as two")
    func concurrentNotes() {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let stamp = scene.stamps.stamp(of: CacheTag(kind: 1, 1))
        for _ in 0..<2 { spill.noteInvalidations([Stamp(slot: stamp.slot, version: stamp.version + 1)]) }
        _ = scene.start()
        #expect(scene.stamps.versions[Int(stamp.slot)] == 2)
    }

    @Test("a torn last record is passed over, whole ones before it count")
    func torn() throws {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        for version in 1...3 { spill.noteInvalidations([Stamp(slot: 7, version: UInt32(version))]) }
        let name = try #require(scene.names("log-").first)
        var contents = try scene.contents()
        let log = try scene.bytes(name)
        for cut in 1..<StampLog.recordBytes {
            contents[name] = Array(log.dropLast(cut))
            try scene.restore(contents)
            let (_, isRestored) = scene.start()
            #expect(isRestored)
            #expect(scene.stamps.versions[7] == 2)
        }
    }

    @Test("a flipped bit in log, snapshot or manifest discards the spill: nothing is known to be current")
    func flipped() throws {
        var chance = SplitMix64(seed: 43)
        let scene = SpillScene()
        do {
            let (spill, _) = scene.start()
            _ = spill.append([scene.entry(1, [1], in: spill)])
            invalidate(20, scene, spill, &chance)
        }
        let contents = try scene.contents()
        for (name, bytes) in contents.sorted(by: { $0.key < $1.key }) where !name.hasPrefix("segment-") {
            for _ in 0..<60 {
                let bit = Int(chance.next() % UInt64(bytes.count * 8))
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                try scene.restore(contents.merging([name: flipped]) { $1 })
                let (spill, isRestored) = scene.start()
                #expect(!isRestored, "bit \(bit) of \(name)")
                #expect(spill.recoveredIndex().index.isEmpty)
                // Nor does the next start find what this one must not use.
                let (next, _) = scene.start()
                #expect(next.recoveredIndex().index.isEmpty)
            }
        }
    }

    @Test("a table of another size discards the spill")
    func otherSize() {
        let scene = SpillScene()
        _ = scene.start()
        scene.stamps = StampTable(count: 2_048)
        #expect(!scene.start().isRestored)
    }

    @Test("a long log is folded into a snapshot, and loses nothing by it")
    func compaction() throws {
        var chance = SplitMix64(seed: 44)
        let scene = SpillScene()
        scene.budget = 16 << 20
        let (spill, _) = scene.start()
        let entries = (0..<3).map { scene.entry($0, [UInt8($0)], in: spill) }
        _ = spill.append(entries)
        spill.noteForgotten([entries[1].hash])
        let first = try #require(scene.names("log-").first)
        var noted = 0
        while noted < 180_000 {
            let stamps = (0..<1_000).map { _ in scene.stamps.invalidate(CacheTag(kind: 1, chance.next() % 3_000)) }
            spill.noteInvalidations(stamps)
            noted += stamps.count
        }
        _ = spill.append([scene.entry(9, [9], in: spill)])
        #expect(scene.names("log-") != [first] && scene.names("log-").count == 1)
        let expected = scene.stamps.versions
        let (next, isRestored) = scene.start()
        #expect(isRestored && scene.stamps.versions == expected)
        let (index, result) = next.recoveredIndex()
        #expect(result.forgotten == 1 && index[entries[1].hash] == nil && index.count == 3)
    }
}
