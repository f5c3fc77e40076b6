import Crypto
import SparkCore
import Testing

@testable import SparkCache

/// How a run ends.
enum SpillEnding: CaseIterable {
    case clean, killed
}

@Suite("Warm restarts of the spill")
struct SpillRecoveryTests {
    private static let people = 400

    /// Tags that do not share a slot in a table of this size, because shared slots give misses.
    private static let stampCount = 1 << 18
    private static let tags: [CacheTag] = {
        let table = StampTable(count: stampCount)
        var (tags, slots): ([CacheTag], Set<UInt32>) = ([], [])
        var id: UInt64 = 0
        while tags.count < people {
            let tag = CacheTag(kind: 1, id)
            if slots.insert(table.stamp(of: tag).slot).inserted { tags.append(tag) }
            id += 1
        }
        return tags
    }()

    private func tag(_ number: Int) -> CacheTag { Self.tags[number] }

    /// Writes, rewrites, invalidates and forgets at random; `model` is what is current afterwards.
    private func live(_ fixture: SpillFixture, _ spill: Spill, _ model: inout [Int: [UInt8]], _ chance: inout SplitMix64) {
        var sample = ProfileSample(seed: chance.next())
        for _ in 0..<40 {
            var batch: [SpilledEntry] = []
            for _ in 0..<50 {
                let number = Int(chance.next() % UInt64(Self.people))
                guard !batch.contains(where: { $0.key == fixture.key(number) }) else { continue }
                // Invalidated before it is written, as after a write to the origin.
                spill.noteInvalidations([Stamp(slot: fixture.stamps.stamp(of: tag(number)).slot, version: 0)])
                fixture.stamps.invalidate(tag(number))
                model[number] = sample.next()
                batch.append(fixture.entry(number, model[number] ?? [], tags: [tag(number)], in: spill))
            }
            _ = spill.append(batch)
            let gone = Int(chance.next() % UInt64(Self.people))
            spill.noteForgotten([fixture.key(gone).hash(seed: spill.seed)])
            model[gone] = nil
        }
    }

    private func end(_ ending: SpillEnding, _ spill: Spill, _ fixture: SpillFixture) {
        if ending == .clean { spill.close(hottest: [3, 1, 2], stamps: fixture.stamps) }
    }

    /// What an index would serve: found, and current by its stamps.
    private func served(_ fixture: SpillFixture, _ spill: Spill, _ index: [UInt64: SpillLocation], _ number: Int) -> [UInt8]? {
        let key = fixture.key(number)
        guard let location = index[key.hash(seed: spill.seed)], case .entry(let entry) = spill.read(location, key: key),
            entry.stamps.allSatisfy(fixture.stamps.isCurrent)
        else { return nil }
        return entry.value
    }

    @Test(
        "after a clean stop and after a kill the newest value of each key is served, and nothing that was forgotten",
        arguments: SpillEnding.allCases)
    func recovers(ending: SpillEnding) throws {
        var chance = SplitMix64(seed: 31)
        let fixture = SpillFixture()
        fixture.stamps = StampTable(count: Self.stampCount)
        var model: [Int: [UInt8]] = [:]
        for round in 0..<3 {
            let (spill, isRestored) = fixture.start()
            #expect(isRestored == (round > 0))
            let (index, result) = spill.recoveredIndex()
            for number in 0..<Self.people { #expect(served(fixture, spill, index, number) == model[number]) }
            #expect(result.corruptBytes == 0)
            if ending == .clean {
                #expect(result.scannedSegments == 0)
                #expect(spill.hottest == (round > 0 ? [3, 1, 2] : []))
            } else {
                #expect(result.scannedSegments == (round > 0 ? round : 0))
            }
            live(fixture, spill, &model, &chance)
            end(ending, spill, fixture)
        }
    }

    @Test(
        "cut segments and a thousand flipped bits give only misses and right values", arguments: SpillEnding.allCases,
        [1, 2, 3] as [UInt64])
    func damaged(ending: SpillEnding, seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        let fixture = SpillFixture(seed: seed)
        fixture.stamps = StampTable(count: Self.stampCount)
        var model: [Int: [UInt8]] = [:]
        do {
            let (spill, _) = fixture.start()
            live(fixture, spill, &model, &chance)
            end(ending, spill, fixture)
        }
        let names = fixture.names("segment-") + fixture.names("dictionary-")
        var contents = try names.map { try fixture.bytes($0) }
        for index in contents.indices where chance.next() % 4 == 0 {
            contents[index].removeLast(Int(chance.next() % UInt64(contents[index].count)))
        }
        for _ in 0..<1_000 {
            let index = Int(chance.next() % UInt64(contents.count))
            guard !contents[index].isEmpty else { continue }
            let bit = Int(chance.next() % UInt64(contents[index].count * 8))
            contents[index][bit / 8] ^= 1 << UInt8(bit % 8)
        }
        for (name, bytes) in zip(names, contents) { try fixture.overwrite(name, bytes) }
        let (spill, isRestored) = fixture.start()
        #expect(isRestored)
        let (index, result) = spill.recoveredIndex()
        for number in 0..<Self.people {
            let value = served(fixture, spill, index, number)
            #expect(value == nil || value == model[number])
        }
        #expect(result.corruptBytes > 0 && spill.counters.corrupt > 0)
    }

    @Test("an entry forgotten during the recovery is not recovered, and entries of this start are recognized")
    func duringRecovery() throws {
        let fixture = SpillFixture()
        let (first, _) = fixture.start()
        let entries = (0..<4).map { fixture.entry($0, [UInt8($0)], in: first) }
        _ = first.append(entries)
        first.close(hottest: [], stamps: fixture.stamps)
        let (spill, _) = fixture.start()
        spill.noteForgotten([entries[1].hash])
        let location = try #require(spill.append([fixture.entry(2, [22], in: spill)])[0])
        #expect(!spill.isRecovered(location))
        var visited: [UInt64] = []
        let result = spill.recover { hash, location in
            #expect(spill.isRecovered(location))
            if hash == entries[2].hash { spill.noteForgotten([entries[3].hash]) }
            if !spill.wasForgotten(hash) { visited.append(hash) }
        }
        #expect(visited == [entries[0].hash, entries[2].hash])
        #expect(result.forgotten == 1)
    }

    @Test("a spill of another database or another key is discarded with its files")
    func discarded() throws {
        for change in [{ $0.fingerprint = "two" }, { $0.key = SymmetricKey(size: .bits256) }] as [(SpillFixture) -> Void] {
            let fixture = SpillFixture()
            let (first, _) = fixture.start()
            _ = first.append([fixture.entry(1, [1], in: first)])
            first.close(hottest: [], stamps: fixture.stamps)
            change(fixture)
            let (spill, isRestored) = fixture.start()
            #expect(!isRestored && spill.recoveredIndex().index.isEmpty)
            #expect(fixture.names("segment-").isEmpty)
        }
    }

    @Test("another boot discards a spill that was not closed and keeps one that was", arguments: SpillEnding.allCases)
    func anotherBoot(ending: SpillEnding) throws {
        let fixture = SpillFixture()
        let (first, _) = fixture.start()
        let entry = fixture.entry(1, [1], in: first)
        _ = first.append([entry])
        end(ending, first, fixture)
        fixture.boot = "another"
        let (spill, isRestored) = fixture.start()
        #expect(isRestored == (ending == .clean))
        #expect(spill.recoveredIndex().index.count == (ending == .clean ? 1 : 0))
    }

    @Test("a start that dies before it restores the stamps leaves nothing to the next")
    func diedEarly() throws {
        let fixture = SpillFixture()
        let (first, _) = fixture.start()
        _ = first.append([fixture.entry(1, [1], in: first)])
        first.close(hottest: [], stamps: fixture.stamps)
        _ = fixture.open()
        let (_, isRestored) = fixture.start()
        #expect(!isRestored)
    }

    @Test("a cold spill removes its files at the end, and those of a killed process at the next start")
    func cold() throws {
        let fixture = SpillFixture()
        fixture.isWarm = false
        do {
            let spill = fixture.open()
            let entry = fixture.entry(1, [1, 2, 3], in: spill)
            let location = try #require(spill.append([entry])[0])
            #expect(spill.value(location, entry.key) == [1, 2, 3])
        }
        #expect(!fixture.names("segment-").isEmpty)
        fixture.key = SymmetricKey(size: .bits256)
        let (spill, isRestored) = fixture.start()
        #expect(!isRestored && spill.recoveredIndex().index.isEmpty)
        #expect(fixture.bytesOnDisk == 0)
        _ = spill.append([fixture.entry(1, [1], in: spill)])
        spill.close(hottest: [], stamps: fixture.stamps)
        #expect(fixture.bytesOnDisk == 0)
        #expect(spill.append([fixture.entry(1, [1], in: spill)]) == [nil])
    }
}
