import SparkCore
import Testing

@testable import SparkCache

@Suite("Appending and reading back")
struct SpillRoundTripTests {
    private func value(_ size: Int, _ chance: inout SplitMix64) -> [UInt8] {
        // Half of them are compressible, half are not.
        let alphabet: UInt64 = chance.next() & 1 == 0 ? 256 : 4
        return (0..<size).map { _ in UInt8(truncatingIfNeeded: chance.next() % alphabet) }
    }

    @Test("values of many sizes, namespaces and numbers of stamps come back with key, expiry and stamps")
    func roundTrip() {
        var chance = SplitMix64(seed: 11)
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let sizes = [0, 1, 15, 16, 17, 63, 64, 100, 499, 2_000, 4_096, 20_000, 40_000]
        var entries: [SpilledEntry] = []
        for (index, size) in (sizes + sizes + sizes).enumerated() {
            let tags = (0..<(index % (SpilledEntry.maximumStamps + 1))).map { CacheTag(kind: 1, UInt64($0)) }
            entries.append(
                fixture.entry(index, namespace: [1, 2, 9][index % 3], value(size, &chance), tags: tags, in: spill))
        }
        let locations = spill.append(entries)
        for (entry, location) in zip(entries, locations) {
            guard let location, case .entry(let back) = spill.readNow(location, key: entry.key) else {
                Issue.record("\(entry.value.count) bytes did not come back")
                continue
            }
            #expect(back.key == entry.key && back.hash == entry.hash && back.expiresAt == entry.expiresAt)
            #expect(back.stamps == entry.stamps && back.value == entry.value)
            #expect(spill.isLive(location))
        }
        let counters = spill.counters
        #expect(counters.entriesWritten == entries.count && counters.hits == entries.count && counters.corrupt == 0)
        #expect(counters.rawBytesWritten == entries.reduce(0) { $0 + $1.value.count })
    }

    @Test("the location of another key is a miss, and so is one outside every segment")
    func wrongPlace() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let entries = [fixture.entry(1, [1, 2, 3], in: spill), fixture.entry(2, [4, 5, 6], in: spill)]
        let locations = spill.append(entries)
        let first = try #require(locations[0])
        #expect(spill.value(first, entries[1].key) == nil)
        #expect(spill.value(first, fixture.key(1, namespace: 2)) == nil)
        for place: UInt32 in [0, 1, .max, first.place + 1, first.place + (1 << 20)] {
            for length: UInt32 in [0, 1, first.length, .max] where (place, length) != (first.place, first.length) {
                #expect(spill.value(SpillLocation(place: place, length: length), entries[0].key) == nil)
            }
        }
        #expect(spill.value(first, entries[0].key) == [1, 2, 3])
    }

    @Test("a value larger than a segment and an entry with too many stamps are not written, and their neighbours are")
    func tooLarge() {
        var chance = SplitMix64(seed: 3)
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let large = (0..<100_000).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
        let tags = (0...SpilledEntry.maximumStamps).map { CacheTag(kind: 2, UInt64($0)) }
        let locations = spill.append([
            fixture.entry(1, [1], in: spill), fixture.entry(2, large, in: spill), fixture.entry(3, [3], tags: tags, in: spill),
            fixture.entry(4, [4], in: spill),
        ])
        #expect(locations.map { $0 != nil } == [true, false, false, true])
        #expect(spill.counters.entriesDropped == 2)
    }

    @Test("transfers that do less than asked are continued")
    func shortTransfers() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        fixture.files.faults.largestTransfer = 100
        let entry = fixture.entry(1, Array(repeating: 0, count: 300) + (0..<255), in: spill)
        let location = try #require(spill.append([entry])[0])
        #expect(spill.value(location, entry.key) == entry.value)
    }

    @Test("an entry outside the page cache is cold for a read that may not wait")
    func cold() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let entry = fixture.entry(1, [1, 2, 3], in: spill)
        let location = try #require(spill.append([entry])[0])
        fixture.files.faults.isCold = true
        guard case .cold = spill.readNow(location, key: entry.key) else {
            Issue.record("not cold")
            return
        }
        #expect(spill.value(location, entry.key) == [1, 2, 3])
        #expect(spill.counters.coldReads == 1)
    }
}
