import SparkCore

/// How often keys were seen recently: a count-min sketch of four rows of counters that stop at 15 and are halved now and then.
struct FrequencySketch {
    private var counters: [UInt8]
    private let mask: Int
    private let samples: Int
    private var additions = 0

    /// - Parameter expected: about as many keys as the cache holds.
    init(expected: Int) {
        var width = 64
        while width < expected { width *= 2 }
        counters = [UInt8](repeating: 0, count: width * 4)
        mask = width - 1
        samples = width * 10
    }

    func estimate(_ key: Int) -> UInt8 {
        let hash = SplitMix64.mix(UInt64(key))
        return min(
            min(counters[index(hash, 0)], counters[index(hash, 1)]), min(counters[index(hash, 2)], counters[index(hash, 3)]))
    }

    mutating func add(_ key: Int) {
        let hash = SplitMix64.mix(UInt64(key))
        for row in 0..<4 where counters[index(hash, row)] < 15 { counters[index(hash, row)] += 1 }
        additions += 1
        guard additions >= samples else { return }
        additions /= 2
        for index in counters.indices { counters[index] /= 2 }
    }

    private func index(_ hash: UInt64, _ row: Int) -> Int {
        row * (mask + 1) + Int(truncatingIfNeeded: hash >> (UInt64(row) * 15)) & mask
    }
}
