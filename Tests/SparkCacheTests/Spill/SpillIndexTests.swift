import SparkCore
import Testing

@testable import SparkCache

@Suite("The index of the spill")
struct SpillIndexTests {
    /// The index uses 32 bits of a hash. Some are neighbours at both ends of the range, so that runs are long and wrap around.
    private func hash(_ chance: inout SplitMix64) -> UInt64 {
        let mark =
            switch chance.next() % 3 {
            case 0: UInt32.max - UInt32(chance.next() % 60)
            case 1: UInt32(chance.next() % 60)
            default: UInt32(truncatingIfNeeded: chance.next() % 900 &* 4_771_337)
            }
        return chance.next() << 32 | UInt64(mark)
    }

    private func expect(_ index: borrowing SpillIndex, holds model: [UInt32: SpillLocation]) {
        #expect(index.count == model.count)
        for (mark, place) in model { #expect(index.find(UInt64(mark) | 0xABC << 32) == place) }
    }

    @Test("the index agrees with a dictionary through growth and purges", arguments: 1...4 as ClosedRange<UInt64>)
    func matchesDictionary(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        var index = SpillIndex()
        var model: [UInt32: SpillLocation] = [:]
        for step in 0..<20_000 {
            let hash = hash(&chance)
            let mark = UInt32(truncatingIfNeeded: hash)
            #expect(index.find(hash) == model[mark])
            switch chance.next() % 8 {
            case 0..<4:
                let place = SpillLocation(segment: Int(chance.next() % 9), offset: step * 16, length: 64 + step)
                index.set(hash, place)
                model[mark] = place
            case 4..<7:
                let (wasThere, wasInModel) = (index.remove(hash), model.removeValue(forKey: mark) != nil)
                #expect(wasThere == wasInModel)
            default:
                guard step % 200 == 0 else { continue }
                // Twice the slots: what moves over the end in the first round is visited in the second.
                let dead = Int(chance.next() % 9)
                index.purge(index.capacity) { $0.segment != dead }
                index.purge(index.capacity) { $0.segment != dead }
                model = model.filter { $0.value.segment != dead }
                expect(index, holds: model)
            }
        }
        expect(index, holds: model)
    }

    @Test("a large index takes 15 to 23 bytes an entry")
    func isSmall() {
        var index = SpillIndex()
        for number in 0..<100_000 as Range<UInt64> {
            index.set(SplitMix64.mix(number), SpillLocation(segment: 1, offset: 16, length: 64))
            guard number > 1_000 else { continue }
            let share = Double(index.bytes) / Double(index.count)
            if !(14.9...23).contains(share) { Issue.record("\(share) bytes an entry at \(index.count)") }
        }
    }

    @Test("a location without a length is not indexed")
    func refusesEmpty() {
        var index = SpillIndex()
        index.set(1, SpillLocation(segment: 0, offset: 0, length: 0))
        #expect(index.count == 0)
        #expect(index.find(1) == nil)
    }
}
