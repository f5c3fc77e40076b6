import SparkCore
import Testing

@testable import SparkCache

/// Least recently used, weighted by bytes: a second policy for the tests that every policy must pass.
private struct LRU: EvictionPolicy {
    private var queue = IntrusiveQueue()

    init(budget: Int) {}

    var bytes: Int { queue.bytes }
    var overhead: Int { 0 }

    mutating func insert(_ index: Int32, _ records: borrowing RecordSlab) {
        records[index].queue = .main
        queue.append(index, records)
    }

    mutating func touch(_ index: Int32, _ records: borrowing RecordSlab) {
        queue.remove(index, records)
        queue.append(index, records)
    }

    mutating func remove(_ index: Int32, _ records: borrowing RecordSlab) { queue.remove(index, records) }

    mutating func updateCost(_ index: Int32, before: Int, _ records: borrowing RecordSlab) {
        queue.updateCost(Int(records[link: index].cost) - before)
    }

    mutating func demote(_ index: Int32, _ records: borrowing RecordSlab) {}

    mutating func evict(_ records: borrowing RecordSlab) -> Int32? {
        guard queue.oldest >= 0 else { return nil }
        let index = queue.oldest
        queue.remove(index, records)
        return index
    }
}

/// A policy with its records, and a plain account of what it should hold.
private struct PolicyFixture<Policy: EvictionPolicy>: ~Copyable {
    var slab = RecordSlab()
    var policy: Policy
    var held: [Int32: Int] = [:]

    init(budget: Int) { policy = Policy(budget: budget) }

    @discardableResult
    mutating func insert(_ hash: UInt64, cost: Int = 100) -> Int32 {
        let index = slab.acquire()
        slab[link: index].hash = hash
        slab[link: index].cost = UInt32(cost)
        policy.insert(index, slab)
        held[index] = cost
        return index
    }

    mutating func touch(_ index: Int32) { policy.touch(index, slab) }
    mutating func demote(_ index: Int32) { policy.demote(index, slab) }

    mutating func remove(_ index: Int32) {
        policy.remove(index, slab)
        slab.release(index)
        held[index] = nil
    }

    mutating func updateCost(_ index: Int32, _ cost: Int) {
        let before = Int(slab[link: index].cost)
        slab[link: index].cost = UInt32(cost)
        policy.updateCost(index, before: before, slab)
        held[index] = cost
    }

    /// The hash of the evicted record.
    @discardableResult
    mutating func evict() -> UInt64? {
        guard let index = policy.evict(slab) else { return nil }
        #expect(held.removeValue(forKey: index) != nil)
        let hash = slab[link: index].hash
        slab.release(index)
        return hash
    }

    /// Evicts all records and returns their hashes in order.
    var evictionOrder: [UInt64] {
        mutating get {
            var hashes: [UInt64] = []
            while let hash = evict() { hashes.append(hash) }
            return hashes
        }
    }
}

@Suite("Eviction policies")
struct EvictionPolicyTests {
    private func account<Policy: EvictionPolicy>(_ fixture: consuming PolicyFixture<Policy>, seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        for step in 0..<10_000 as Range<UInt64> {
            let someone = fixture.held.keys.sorted().randomElement(using: &chance)
            switch (chance.next() % 10, someone) {
            case (0...2, _), (_, nil): fixture.insert(SplitMix64.mix(step % 300), cost: Int(chance.next() % 2_000))
            case (3...5, let index?): fixture.touch(index)
            case (6, let index?): fixture.remove(index)
            case (7, let index?): fixture.updateCost(index, Int(chance.next() % 2_000))
            case (8, let index?): fixture.demote(index)
            default: fixture.evict()
            }
            #expect(fixture.policy.bytes == fixture.held.values.reduce(0, +))
            while fixture.held.count > 60 { fixture.evict() }
        }
        _ = fixture.evictionOrder
        #expect(fixture.held.isEmpty)
        #expect(fixture.policy.bytes == 0)
    }

    @Test("policies account for every record to the byte and evict all of them in the end")
    func accounts() {
        account(PolicyFixture<S3FIFO>(budget: 40_000), seed: 21)
        account(PolicyFixture<LRU>(budget: 40_000), seed: 22)
    }

    @Test("LRU evicts the least recently used record first")
    func leastRecentlyUsed() {
        var chance = SplitMix64(seed: 23)
        var fixture = PolicyFixture<LRU>(budget: 0)
        var model: [(index: Int32, hash: UInt64)] = []
        for step in 0..<5_000 as Range<UInt64> {
            switch chance.next() % 3 {
            case 0: model.append((fixture.insert(step), step))
            case 1:
                guard let position = model.indices.randomElement(using: &chance) else { continue }
                let one = model.remove(at: position)
                fixture.touch(one.index)
                model.append(one)
            default:
                let gone = fixture.evict()
                #expect(gone == (model.isEmpty ? nil : model.removeFirst().hash))
            }
        }
    }

    @Test("S3-FIFO evicts records read at most once early and keeps those read twice")
    func quickDemotion() {
        var fixture = PolicyFixture<S3FIFO>(budget: 100)
        // Before the first eviction all records go to the main queue.
        fixture.insert(9)
        fixture.evict()
        let twice = fixture.insert(1)
        fixture.touch(twice)
        fixture.touch(twice)
        let once = fixture.insert(2)
        fixture.touch(once)
        fixture.insert(3)
        let evictionOrder = fixture.evictionOrder
        #expect(evictionOrder == [2, 3, 1])
    }

    @Test("S3-FIFO puts a record that returns soon after its eviction into the main queue")
    func ghosts() {
        var fixture = PolicyFixture<S3FIFO>(budget: 1_000)
        fixture.insert(7 << 32)
        fixture.evict()
        fixture.insert(7 << 32)
        for hash in 1...4 as ClosedRange<UInt64> { fixture.insert(hash << 40) }
        let evictionOrder = fixture.evictionOrder.map { $0 >> 32 }
        #expect(evictionOrder == [256, 512, 768, 7, 1_024])
    }

    @Test("S3-FIFO evicts demoted records first, unless they are read again")
    func demotion() {
        var fixture = PolicyFixture<S3FIFO>(budget: 100)
        // Before the first eviction all records go to the main queue.
        fixture.insert(9)
        fixture.evict()
        fixture.insert(1)
        let (second, third) = (fixture.insert(2), fixture.insert(3))
        fixture.demote(third)
        fixture.demote(second)
        fixture.touch(second)
        let evictionOrder = fixture.evictionOrder
        #expect(evictionOrder == [3, 1, 2])
    }
}

@Suite("The ghost list")
struct GhostListTests {
    @Test("the ghost list knows recent departures once and forgets old ones")
    func remembers() {
        var chance = SplitMix64(seed: 31)
        var ghosts = GhostList(budget: 64 << 20)
        var gone: Set<UInt64> = []
        var (missed, taken) = (0, 0)
        for _ in 0..<40_000 {
            let hash = SplitMix64.mix(chance.next() % 4_000)
            if gone.contains(hash), chance.next() % 3 == 0 {
                gone.remove(hash)
                if ghosts.take(hash, within: .max) { taken += 1 } else { missed += 1 }
                let isTakenTwice = ghosts.take(hash, within: .max)
                #expect(!isTakenTwice)
            } else {
                gone.insert(hash)
                ghosts.note(hash)
            }
        }
        // A new hash overwrites the one in its place: some are missed, and none is found that did not leave.
        #expect(taken > 10 * missed)
    }

    @Test("the ghost list counts age in departures")
    func ages() {
        var ghosts = GhostList(budget: 1 << 20)
        for number in 0..<100 as Range<UInt64> { ghosts.note(number << 32 | number << 20) }
        for (number, count, isKnown) in [(99, 1, true), (89, 10, false), (90, 10, true)] as [(UInt64, Int, Bool)] {
            let wasKnown = ghosts.take(number << 32 | number << 20, within: count)
            #expect(wasKnown == isKnown)
        }
    }
}
