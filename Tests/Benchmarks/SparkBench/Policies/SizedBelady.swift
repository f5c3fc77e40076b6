/// Belady's rule for keys of different sizes: evicts the entry that takes the most bytes for the longest time until it is needed,
/// among some that are drawn. Not the optimum, but no online policy comes near it.
enum SizedBelady {
    private static let sample = 64

    /// - Returns: how many of the reads are hits.
    static func hits(_ keys: [UInt32], nextUses: [UInt32], objectCount: Int, capacity: Int, sizes: [UInt32]) -> Int {
        var dice = Dice(seed: 0)
        var hits = 0
        var bytes = 0
        var resident: [UInt32] = []
        // The position of each key among the resident ones, plus 1.
        var places = [UInt32](repeating: 0, count: objectCount)
        var until = [UInt32](repeating: 0, count: objectCount)
        for (index, key) in keys.enumerated() {
            let nextUse = nextUses[index]
            until[Int(key)] = nextUse
            if places[Int(key)] != 0 {
                hits += 1
            } else if nextUse != NextUse.never, sizes[Int(key)] <= capacity {
                bytes += Int(sizes[Int(key)])
                resident.append(key)
                places[Int(key)] = UInt32(resident.count)
            }
            while bytes > capacity, let last = resident.last {
                var victim = last
                var worst: UInt64 = 0
                for draw in 0..<min(Self.sample, resident.count) {
                    // Small caches are searched whole.
                    let candidate = resident[resident.count <= Self.sample ? draw : dice.below(resident.count)]
                    let weight = UInt64(until[Int(candidate)] - UInt32(index)) * UInt64(sizes[Int(candidate)])
                    if weight > worst { (victim, worst) = (candidate, weight) }
                }
                resident.removeLast()
                let place = Int(places[Int(victim)]) - 1
                if victim != last {
                    resident[place] = last
                    places[Int(last)] = UInt32(place + 1)
                }
                places[Int(victim)] = 0
                bytes -= Int(sizes[Int(victim)])
            }
        }
        return hits
    }
}
