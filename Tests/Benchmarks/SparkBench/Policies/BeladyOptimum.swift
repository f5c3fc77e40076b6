/// Belady's rule (1966): evicts the entry that is needed farthest in the future, even if it is the newest. The optimum for keys
/// of one size; with different sizes nobody knows the optimum in reasonable time, and `SizedBelady` comes closer to it.
enum BeladyOptimum {
    /// - Returns: how many of the reads are hits.
    static func hits(_ keys: [UInt32], nextUses: [UInt32], objectCount: Int, capacity: Int, size: (Int) -> Int) -> Int {
        var hits = 0
        var bytes = 0
        // The next use of each resident key; 0 for the others, as nothing is used next at the very first request.
        var residentUntil = [UInt32](repeating: 0, count: objectCount)
        var farthest = FarthestHeap()
        for (index, rawKey) in keys.enumerated() {
            let key = Int(rawKey)
            let nextUse = nextUses[index]
            if residentUntil[key] != 0 {
                hits += 1
            } else {
                guard nextUse != NextUse.never, size(key) <= capacity else { continue }
                bytes += size(key)
            }
            residentUntil[key] = nextUse
            farthest.push(nextUse, rawKey)
            while bytes > capacity, let last = farthest.pop() {
                // An entry from before the key's latest read.
                guard residentUntil[Int(last.key)] == last.use else { continue }
                residentUntil[Int(last.key)] = 0
                bytes -= size(Int(last.key))
            }
        }
        return hits
    }
}

/// Keys by their next use, the farthest first.
private struct FarthestHeap {
    private var entries: [UInt64] = []

    mutating func push(_ use: UInt32, _ key: UInt32) {
        let entry = UInt64(use) << 32 | UInt64(key)
        var index = entries.count
        entries.append(entry)
        while index > 0, entries[(index - 1) / 2] < entry {
            entries[index] = entries[(index - 1) / 2]
            index = (index - 1) / 2
        }
        entries[index] = entry
    }

    mutating func pop() -> (use: UInt32, key: UInt32)? {
        guard let top = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty {
            var index = 0
            while true {
                var child = 2 * index + 1
                guard child < entries.count else { break }
                if child + 1 < entries.count, entries[child + 1] > entries[child] { child += 1 }
                guard entries[child] > last else { break }
                entries[index] = entries[child]
                index = child
            }
            entries[index] = last
        }
        return (UInt32(truncatingIfNeeded: top >> 32), UInt32(truncatingIfNeeded: top))
    }
}
