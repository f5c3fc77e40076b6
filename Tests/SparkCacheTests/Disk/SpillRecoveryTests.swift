import Crypto
import SparkCore
import Testing

@testable import SparkCache

/// How a run ends.
enum SpillEnding: CaseIterable {
    case clean, killed
}

@Suite("A warm spill outlives its process")
struct SpillRecoveryTests {
    private static let people = 400

    private func tag(_ number: Int) -> CacheTag { CacheTag(kind: 1, UInt64(number)) }

    /// Writes, rewrites, invalidates and forgets at random; gives back what is current.
    private func live(_ scene: SpillScene, _ spill: Spill, _ model: inout [Int: [UInt8]], _ chance: inout SplitMix64) {
        var sample = ProfileSample(seed: chance.next())
        for _ in 0..<40 {
            var batch: [SpilledEntry] = []
            for _ in 0..<50 {
                let number = Int(chance.next() % UInt64(Self.people))
                guard !batch.contains(where: { $0.key == scene.key(number) }) else { continue }
                // Old before new, as after a write to the origin.
                spill.noteInvalidations([Stamp(slot: scene.stamps.stamp(of: tag(number)).slot, version: 0)])
                scene.stamps.invalidate(tag(number))
                model[number] = sample.next()
                batch.append(scene.entry(number, model[number] ?? [], tags: [tag(number)], in: spill))
            }
            _ = spill.append(batch)
            let gone = Int(chance.next() % UInt64(Self.people))
            spill.noteForgotten([scene.key(gone).hash(seed: spill.seed)])
            model[gone] = nil
        }
    }

    private func end(_ ending: SpillEnding, _ spill: Spill, _ scene: SpillScene) {
        if ending == .clean { spill.close(hottest: [3, 1, 2], stamps: scene.stamps) }
    }

    /// What an index would serve: found, and current by its stamps.
    private func served(_ scene: SpillScene, _ spill: Spill, _ index: [UInt64: SpillLocation], _ number: Int) -> [UInt8]? {
        let key = scene.key(number)
        guard let location = index[key.hash(seed: spill.seed)], case .entry(let entry) = spill.read(location, key: key),
            entry.stamps.allSatisfy(scene.stamps.isCurrent)
        else { return nil }
        return entry.value
    }

    @Test(
        "after a clean stop and after a kill it serves the newest of each key, and nothing that was forgotten",
        arguments: SpillEnding.allCases)
    func recovers(ending: SpillEnding) throws {
        var chance = SplitMix64(seed: 31)
        let scene = SpillScene()
        // In a smaller table some of so many tags would share a slot, which makes misses.
        scene.stamps = StampTable(count: 1 << 18)
        var model: [Int: [UInt8]] = [:]
        for round in 0..<3 {
            let (spill, isRestored) = scene.start()
            #expect(isRestored == (round > 0))
            let (index, result) = spill.recoveredIndex()
            for number in 0..<Self.people { #expect(served(scene, spill, index, number) == model[number]) }
            #expect(result.unsoundBytes == 0)
            if ending == .clean {
                #expect(result.scannedSegments == 0)
                #expect(spill.hottest == (round > 0 ? [3, 1, 2] : []))
            } else {
                #expect(result.scannedSegments == (round > 0 ? round : 0))
            }
            live(scene, spill, &model, &chance)
            end(ending, spill, scene)
        }
    }

    @Test(
        "segments cut at random and a thousand bits flipped: only right values", arguments: SpillEnding.allCases,
        [1, 2, 3] as [UInt64])
    func damaged(ending: SpillEnding, seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        let scene = SpillScene(seed: seed)
        scene.stamps = StampTable(count: 1 << 18)
        var model: [Int: [UInt8]] = [:]
        do {
            let (spill, _) = scene.start()
            live(scene, spill, &model, &chance)
            end(ending, spill, scene)
        }
        let names = scene.names("segment-") + scene.names("dictionary-")
        var contents = try names.map { try scene.bytes($0) }
        for index in contents.indices where chance.next() % 4 == 0 {
            contents[index].removeLast(Int(chance.next() % UInt64(contents[index].count)))
        }
        for _ in 0..<1_000 {
            let index = Int(chance.next() % UInt64(contents.count))
            guard !contents[index].isEmpty else { continue }
            let bit = Int(chance.next() % UInt64(contents[index].count * 8))
            contents[index][bit / 8] ^= 1 << UInt8(bit % 8)
        }
        for (name, bytes) in zip(names, contents) { try scene.overwrite(name, bytes) }
        let (spill, isRestored) = scene.start()
        #expect(isRestored)
        let (index, result) = spill.recoveredIndex()
        for number in 0..<Self.people {
            let value = served(scene, spill, index, number)
            #expect(value == nil || value == model[number])
        }
        #expect(result.unsoundBytes > 0 && spill.counters.unsound > 0)
    }

    @Test("an entry forgotten while the recovery is under way is known as such, and one that this start wrote is told apart")
    func duringRecovery() throws {
        let scene = SpillScene()
        let (first, _) = scene.start()
        let entries = (0..<4).map { scene.entry($0, [UInt8($0)], in: first) }
        _ = first.append(entries)
        first.close(hottest: [], stamps: scene.stamps)
        let (spill, _) = scene.start()
        spill.noteForgotten([entries[1].hash])
        let location = try #require(spill.append([scene.entry(2, [22], in: spill)])[0])
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

    @Test("of another database, or of another key: discarded, files and all")
    func discarded() throws {
        for change in [{ $0.fingerprint = "two" }, { $0.key = SymmetricKey(size: .bits256) }] as [(SpillScene) -> Void] {
            let scene = SpillScene()
            let (first, _) = scene.start()
            _ = first.append([scene.entry(1, [1], in: first)])
            first.close(hottest: [], stamps: scene.stamps)
            change(scene)
            let (spill, isRestored) = scene.start()
            #expect(!isRestored && spill.recoveredIndex().index.isEmpty)
            #expect(scene.names("segment-").isEmpty)
        }
    }

    @Test("another boot discards what was not closed, and keeps what was", arguments: SpillEnding.allCases)
    func anotherBoot(ending: SpillEnding) throws {
        let scene = SpillScene()
        let (first, _) = scene.start()
        let entry = scene.entry(1, [1], in: first)
        _ = first.append([entry])
        end(ending, first, scene)
        scene.boot = "another"
        let (spill, isRestored) = scene.start()
        #expect(isRestored == (ending == .clean))
        #expect(spill.recoveredIndex().index.count == (ending == .clean ? 1 : 0))
    }

    @Test("a start that dies before it restored the stamps leaves nothing to the next")
    func diedEarly() throws {
        let scene = SpillScene()
        let (first, _) = scene.start()
        _ = first.append([scene.entry(1, [1], in: first)])
        first.close(hottest: [], stamps: scene.stamps)
        _ = scene.open()
        let (_, isRestored) = scene.start()
        #expect(!isRestored)
    }

    @Test("a cold spill leaves nothing: its files go at the end, and those of a killed one at the next start")
    func cold() throws {
        let scene = SpillScene()
        scene.isWarm = false
        do {
            let spill = scene.open()
            let entry = scene.entry(1, [1, 2, 3], in: spill)
            let location = try #require(spill.append([entry])[0])
            #expect(spill.value(location, entry.key) == [1, 2, 3])
        }
        #expect(!scene.names("segment-").isEmpty)
        scene.key = SymmetricKey(size: .bits256)
        let (spill, isRestored) = scene.start()
        #expect(!isRestored && spill.recoveredIndex().index.isEmpty)
        #expect(scene.bytesOnDisk == 0)
        _ = spill.append([scene.entry(1, [1], in: spill)])
        spill.close(hottest: [], stamps: scene.stamps)
        #expect(scene.bytesOnDisk == 0)
        #expect(spill.append([scene.entry(1, [1], in: spill)]) == [nil])
    }
}
