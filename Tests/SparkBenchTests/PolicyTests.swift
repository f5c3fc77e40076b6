import SparkBench
import SparkCore
import Testing

/// A policy in the simplest form: keys in arrays, every byte counted again.
private protocol PlainPolicy {
    init(capacity: Int)
    var resident: [(key: Int, size: Int)] { get }
    mutating func touch(_ key: Int) -> Bool
    mutating func insert(_ key: Int, size: Int)
    mutating func remove(_ key: Int)
}

private struct PlainLRU: PlainPolicy {
    let capacity: Int
    var resident: [(key: Int, size: Int)] = []
    init(capacity: Int) { self.capacity = capacity }

    mutating func touch(_ key: Int) -> Bool {
        guard let place = resident.firstIndex(where: { $0.key == key }) else { return false }
        resident.append(resident.remove(at: place))
        return true
    }

    mutating func insert(_ key: Int, size: Int) {
        guard size <= capacity else { return }
        resident.append((key, size))
        while resident.reduce(0, { $0 + $1.size }) > capacity { resident.removeFirst() }
    }

    mutating func remove(_ key: Int) { resident.removeAll { $0.key == key } }
}

private struct PlainFIFO: PlainPolicy {
    var lru: PlainLRU
    var resident: [(key: Int, size: Int)] { lru.resident }
    init(capacity: Int) { lru = PlainLRU(capacity: capacity) }
    mutating func touch(_ key: Int) -> Bool { lru.resident.contains { $0.key == key } }
    mutating func insert(_ key: Int, size: Int) { lru.insert(key, size: size) }
    mutating func remove(_ key: Int) { lru.remove(key) }
}

private struct PlainSieve: PlainPolicy {
    let capacity: Int
    /// Oldest first.
    var entries: [(key: Int, size: Int, isVisited: Bool)] = []
    var hand = 0
    var resident: [(key: Int, size: Int)] { entries.map { ($0.key, $0.size) } }
    init(capacity: Int) { self.capacity = capacity }

    mutating func touch(_ key: Int) -> Bool {
        guard let place = entries.firstIndex(where: { $0.key == key }) else { return false }
        entries[place].isVisited = true
        return true
    }

    mutating func insert(_ key: Int, size: Int) {
        guard size <= capacity else { return }
        while entries.reduce(0, { $0 + $1.size }) + size > capacity {
            if hand >= entries.count { hand = 0 }
            if entries[hand].isVisited {
                entries[hand].isVisited = false
                hand += 1
            } else {
                entries.remove(at: hand)
            }
        }
        // A hand past the newest continues at the oldest, not at the next arrival.
        if hand >= entries.count { hand = 0 }
        entries.append((key, size, false))
    }

    mutating func remove(_ key: Int) {
        guard let place = entries.firstIndex(where: { $0.key == key }) else { return }
        entries.remove(at: place)
        if hand > place { hand -= 1 }
        if hand >= entries.count { hand = 0 }
    }
}

private struct PlainS3FIFO: PlainPolicy {
    let capacity: Int
    var small: [(key: Int, size: Int, uses: Int)] = []
    var main: [(key: Int, size: Int, uses: Int)] = []
    var ghosts: [(key: Int, size: Int)] = []
    var hasEvicted = false
    var resident: [(key: Int, size: Int)] { (small + main).map { ($0.key, $0.size) } }
    init(capacity: Int) { self.capacity = capacity }

    private func bytes(_ queue: [(key: Int, size: Int, uses: Int)]) -> Int { queue.reduce(0) { $0 + $1.size } }

    mutating func touch(_ key: Int) -> Bool {
        if let place = small.firstIndex(where: { $0.key == key }) {
            small[place].uses = min(3, small[place].uses + 1)
            return true
        }
        guard let place = main.firstIndex(where: { $0.key == key }) else { return false }
        main[place].uses = min(3, main[place].uses + 1)
        return true
    }

    mutating func insert(_ key: Int, size: Int) {
        guard size <= capacity else { return }
        let isKnown = ghosts.contains { $0.key == key }
        ghosts.removeAll { $0.key == key }
        while bytes(small) + bytes(main) + size > capacity { evict() }
        if isKnown || !hasEvicted && bytes(small) >= capacity / 10 {
            main.append((key, size, 0))
        } else {
            small.append((key, size, 0))
        }
    }

    mutating func remove(_ key: Int) {
        small.removeAll { $0.key == key }
        main.removeAll { $0.key == key }
    }

    private mutating func evict() {
        hasEvicted = true
        if small.isEmpty || bytes(main) > capacity - capacity / 10 {
            while !main.isEmpty {
                var entry = main.removeFirst()
                if entry.uses == 0 { return }
                entry.uses -= 1
                main.append(entry)
            }
        }
        while !small.isEmpty {
            let entry = small.removeFirst()
            if entry.uses >= 2 {
                main.append((entry.key, entry.size, 0))
                if bytes(small) <= capacity / 10 { return }
            } else {
                ghosts.append((entry.key, entry.size))
                while ghosts.reduce(0, { $0 + $1.size }) > capacity - capacity / 10 { ghosts.removeFirst() }
                return
            }
        }
    }
}

@Suite("Simulated policies")
struct PolicyTests {
    private static let objects = 40
    private static let capacity = 500

    /// Runs random reads and removals through both and compares every answer and the resident keys.
    private func compare<Plain: PlainPolicy>(_ name: String, with type: Plain.Type, seed: UInt64) throws {
        let policy = try #require(PolicyCatalogue.policy(name, capacity: Self.capacity, objectCount: Self.objects))
        var plain = Plain(capacity: Self.capacity)
        var random = SplitMix64(seed: seed)
        for step in 0..<3_000 {
            let key = min(Int.random(in: 0..<Self.objects, using: &random), Int.random(in: 0..<Self.objects, using: &random))
            // One of them is larger than the whole.
            let size = key == 7 ? 501 : 10 + key * 37 % 90
            if Int.random(in: 0..<20, using: &random) == 0 {
                policy.remove(key)
                plain.remove(key)
            } else {
                let (hit, expected) = (policy.touch(key), plain.touch(key))
                try #require(hit == expected, "seed \(seed), step \(step)")
                if !hit {
                    policy.insert(key, size: size) { _ in }
                    plain.insert(key, size: size)
                }
            }
            let keys = (0..<Self.objects).filter(policy.isResident)
            try #require(keys == plain.resident.map(\.key).sorted(), "seed \(seed), step \(step)")
            try #require(policy.bytes == plain.resident.reduce(0) { $0 + $1.size })
        }
    }

    @Test("each queue policy does what its plain model does", arguments: 1...10 as ClosedRange<UInt64>)
    func plainModels(seed: UInt64) throws {
        try compare("FIFO", with: PlainFIFO.self, seed: seed)
        try compare("LRU", with: PlainLRU.self, seed: seed)
        try compare("SIEVE", with: PlainSieve.self, seed: seed)
        try compare("S3-FIFO", with: PlainS3FIFO.self, seed: seed)
    }

    @Test("every policy keeps to its bytes and names each key that leaves, once", arguments: PolicyCatalogue.names)
    func bookkeeping(name: String) throws {
        let policy = try #require(PolicyCatalogue.policy(name, capacity: Self.capacity, objectCount: Self.objects))
        var random = SplitMix64(seed: 5)
        var resident: [Int: Int] = [:]
        for _ in 0..<5_000 {
            let key = Int.random(in: 0..<Self.objects, using: &random)
            let size = 10 + key * 37 % 90
            #expect(policy.touch(key) == (resident[key] != nil))
            guard resident[key] == nil else { continue }
            resident[key] = size
            policy.insert(key, size: size) { #expect(resident.removeValue(forKey: $0) != nil) }
            #expect(policy.bytes == resident.values.reduce(0, +))
            #expect(policy.bytes <= Self.capacity)
        }
    }

    @Test("W-TinyLFU keeps what is read often through a long scan")
    func scanResistance() throws {
        let policy = try #require(PolicyCatalogue.policy("W-TinyLFU 1%", capacity: 10_000, objectCount: 5_000))
        for _ in 0..<10 { for key in 0..<50 where !policy.touch(key) { policy.insert(key, size: 100) { _ in } } }
        for key in 50..<5_000 { policy.insert(key, size: 100) { _ in } }
        #expect((0..<50).filter(policy.isResident).count > 45)
    }
}
