import SparkCore
import Testing

@testable import SparkCache

@Suite("Records and their queues")
struct RecordSlabTests {
    @Test("a place belongs to one record at a time, and each use of it has another generation")
    func places() {
        var chance = SplitMix64(seed: 11)
        var slab = RecordSlab(capacity: 2)
        var used: [Int32: UInt64] = [:]
        var generations: [Int32: Set<UInt32>] = [:]
        for step in 0..<20_000 as Range<UInt64> {
            if chance.next() % 2 == 0 || used.isEmpty {
                let index = slab.acquire()
                #expect(used[index] == nil)
                slab[index].queue = .main
                slab[link: index].hash = step
                used[index] = step
                #expect(generations[index, default: []].insert(slab[link: index].generation).inserted)
            } else if let (index, hash) = used.randomElement(using: &chance) {
                #expect(slab[link: index].hash == hash)
                slab.release(index)
                used[index] = nil
                #expect(slab[index].queue == .free)
            }
            #expect(slab.count == used.count)
        }
    }

    @Test("a payload lives exactly as long as its record")
    func payloads() {
        weak var first: Box<Int>?
        weak var second: Box<Int>?
        do {
            var slab = RecordSlab(capacity: 4)
            for round in 0..<2 {
                let payload = Box(round)
                let index = slab.acquire()
                slab[index].queue = .small
                slab[index].object = .passRetained(payload)
                if round == 0 {
                    first = payload
                    slab.release(index)
                } else {
                    second = payload
                }
            }
            #expect(first == nil)
            #expect(second != nil)
            #expect(slab.count == 1)
        }
        #expect(second == nil)
    }

    @Test("a queue keeps the order of arrival, whichever records leave it")
    func queues() {
        var chance = SplitMix64(seed: 12)
        var slab = RecordSlab()
        var queue = IntrusiveQueue()
        var model: [Int32] = []
        for _ in 0..<20_000 {
            switch chance.next() % 5 {
            case 0, 1:
                let index = slab.acquire()
                slab[index].queue = .main
                slab[link: index].cost = UInt32(chance.next() % 1_000)
                queue.append(index, slab)
                model.append(index)
            case 2, 3:
                guard let position = model.indices.randomElement(using: &chance) else { continue }
                let index = model.remove(at: position)
                queue.remove(index, slab)
                slab.release(index)
            default:
                guard let index = model.randomElement(using: &chance) else { continue }
                let before = Int(slab[link: index].cost)
                slab[link: index].cost = UInt32(chance.next() % 1_000)
                queue.updateCost(Int(slab[link: index].cost) - before)
            }
            #expect(queue.count == model.count)
            let ends = (model.first ?? -1, model.last ?? -1)
            #expect(queue.oldest == ends.0)
            #expect(queue.newest == ends.1)
            var bytes = 0
            for index in model { bytes += Int(slab[link: index].cost) }
            #expect(queue.bytes == bytes)
            guard model.count < 40 else { continue }
            var walk: [Int32] = []
            var index = queue.oldest
            while index >= 0 {
                walk.append(index)
                index = slab[link: index].next
            }
            #expect(walk == model)
        }
    }
}
