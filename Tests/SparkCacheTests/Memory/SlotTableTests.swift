import SparkCore
import Testing

@testable import SparkCache

@Suite("The table that finds records by hash")
struct SlotTableTests {
    /// Few homes and few prefixes, so that runs are long, wrap around and contain equal hashes.
    private func crowdedHash(_ chance: inout SplitMix64) -> UInt64 { (chance.next() % 7) << 32 | (chance.next() % 24 &+ 116) }

    @Test("the table agrees with a dictionary, however hashes collide", arguments: 1...4 as ClosedRange<UInt64>)
    func matchesDictionary(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        var table = SlotTable()
        var hashes: [Int32: UInt64] = [:]
        let places = Int32(seed % 2 == 0 ? 90 : 700)
        for _ in 0..<30_000 {
            let place = Int32(truncatingIfNeeded: chance.next() % UInt64(places))
            if let hash = hashes[place] {
                #expect(table.find(hash) { $0 == place } == place)
                if chance.next() % 2 == 0 {
                    table.remove(hash, place) { hashes[$0] ?? 0 }
                    hashes[place] = nil
                    #expect(table.find(hash) { $0 == place } == -1)
                }
            } else {
                let hash = chance.next() % 8 == 0 ? chance.next() : crowdedHash(&chance)
                hashes[place] = hash
                table.insert(hash, place) { hashes[$0] ?? 0 }
            }
        }
        for place in 0..<places {
            let found = table.find(hashes[place] ?? 116) { $0 == place }
            #expect(found == (hashes[place] == nil ? -1 : place))
        }
        #expect(table.capacity * 3 >= hashes.count * 4)
    }

    @Test("removing an absent place changes nothing")
    func removesNothing() {
        var table = SlotTable()
        table.insert(5, 1) { _ in 5 }
        table.remove(5, 2) { _ in 5 }
        table.remove(6, 1 << 20) { _ in 5 }
        #expect(table.find(5) { $0 == 1 } == 1)
    }
}
