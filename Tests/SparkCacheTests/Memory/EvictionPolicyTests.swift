import SparkCore
import Testing

@testable import SparkCache

/// A policy with the records it needs, and a plain account of what it should hold.
private struct PolicyScene<Policy: EvictionPolicy>: ~Copyable {
    var slab = RecordSlab()
    var policy: Policy
    var held: [Int32: Int] = [:]

    init(budget: Int) { policy = Policy(budget: budget) }

    @discardableResult
    mutating func insert(_ hash: UInt64, cost: Int = 100) -> Int32 {
        let index = slab.take()
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
        slab.give(index)
        held[index] = nil
    }

    mutating func weigh(_ index: Int32, _ cost: Int) {
        let before = Int(slab[link: index].cost)
        slab[link: index].cost = UInt32(cost)
        policy.weigh(index, before: before, slab)
        held[index] = cost
    }

    /// The hash of who goes.
    @discardableResult
    mutating func evict() -> UInt64? {
        guard let index = policy.evict(slab) else { return nil }
        #expect(held.removeValue(forKey: index) != nil)
        let hash = slab[link: index].hash
        slab.give(index)
        return hash
    }

    /// Evicts all: their hashes, in the order in which they go.
    var goers: [UInt64] {
        mutating get {
            var hashes: [UInt64] = []
            while let hash = evict() { hashes.append(hash) }
            return hashes
        }
    }
}

@Suite("Eviction policies")
struct EvictionPolicyTests {
    private func account<Policy: EvictionPolicy>(_ scene: consuming PolicyScene<Policy>, seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        for step in 0..<10_000 as Range<UInt64> {
            let someone = scene.held.keys.sorted().randomElement(using: &chance)
            switch (chance.next() % 10, someone) {
            case (0...2, _), (_, nil): scene.insert(SplitMix64.mix(step % 300), cost: Int(chance.next() % 2_000))
            case (3...5, let index?): scene.touch(index)
            case (6, let index?): scene.remove(index)
            case (7, let index?): scene.weigh(index, Int(chance.next() % 2_000))
            case (8, let index?): scene.demote(index)
            default: scene.evict()
            }
            #expect(scene.policy.bytes == scene.held.values.reduce(0, +))
            while scene.held.count > 60 { scene.evict() }
        }
        _ = scene.goers
        #expect(scene.held.isEmpty)
        #expect(scene.policy.bytes == 0)
    }

    @Test("hold what came and has not gone, to the byte, and give all of it back")
    func accounts() {
        account(PolicyScene<S3FIFO>(budget: 40_000), seed: 21)
        account(PolicyScene<LRU>(budget: 40_000), seed: 22)
    }

    @Test("the least recently used goes first")
    func leastRecentlyUsed() {
        var chance = SplitMix64(seed: 23)
        var scene = PolicyScene<LRU>(budget: 0)
        var model: [(index: Int32, hash: UInt64)] = []
        for step in 0..<5_000 as Range<UInt64> {
            switch chance.next() % 3 {
            case 0: model.append((scene.insert(step), step))
            case 1:
                guard let position = model.indices.randomElement(using: &chance) else { continue }
                let one = model.remove(at: position)
                scene.touch(one.index)
                model.append(one)
            default:
                let gone = scene.evict()
                #expect(gone == (model.isEmpty ? nil : model.removeFirst().hash))
            }
        }
    }

    @Test("S3-FIFO lets go of those who were read once at most, and keeps those who were read twice")
    func quickDemotion() {
        var scene = PolicyScene<S3FIFO>(budget: 100)
        // Before the first eviction there is no small queue to speak of.
        scene.insert(9)
        scene.evict()
        let twice = scene.insert(1)
        scene.touch(twice)
        scene.touch(twice)
        let once = scene.insert(2)
        scene.touch(once)
        scene.insert(3)
        let goers = scene.goers
        #expect(goers == [2, 3, 1])
    }

    @Test("S3-FIFO keeps one who comes back soon after it left among those that stay")
    func ghosts() {
        var scene = PolicyScene<S3FIFO>(budget: 1_000)
        scene.insert(7 << 32)
        scene.evict()
        scene.insert(7 << 32)
        for hash in 1...4 as ClosedRange<UInt64> { scene.insert(hash << 40) }
        let goers = scene.goers.map { $0 >> 32 }
        #expect(goers == [256, 512, 768, 7, 1_024])
    }

    @Test("S3-FIFO lets those who were demoted go first, unless they are read again")
    func demotion() {
        var scene = PolicyScene<S3FIFO>(budget: 100)
        // Before the first eviction there is no small queue to speak of.
        scene.insert(9)
        scene.evict()
        scene.insert(1)
        let (second, third) = (scene.insert(2), scene.insert(3))
        scene.demote(third)
        scene.demote(second)
        scene.touch(second)
        let goers = scene.goers
        #expect(goers == [3, 1, 2])
    }
}

@Suite("The list of ghosts")
struct GhostListTests {
    @Test("knows who left lately, once, and forgets who left long ago")
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
        // A newcomer overwrites who stands in its place: some are missed, never one too many taken.
        #expect(taken > 10 * missed)
    }

    @Test("counts age in departures")
    func ages() {
        var ghosts = GhostList(budget: 1 << 20)
        for number in 0..<100 as Range<UInt64> { ghosts.note(number << 32 | number << 20) }
        for (number, count, isKnown) in [(99, 1, true), (89, 10, false), (90, 10, true)] as [(UInt64, Int, Bool)] {
            let wasKnown = ghosts.take(number << 32 | number << 20, within: count)
            #expect(wasKnown == isKnown)
        }
    }
}
