/// Counts in how many samples a run of eight bytes occurs: open addressing, exact, sixteen bytes a slot.
struct RunTable {
    private var runs: [UInt64]
    private var counts: [UInt32]
    /// The sample that a run was last seen in, so that each counts once; `max` in an empty slot.
    private var samples: [UInt32]
    private let mask: Int

    /// - Parameter capacity: distinct runs at most.
    init(capacity: Int) {
        var slots = 1_024
        while slots < capacity * 3 / 2 { slots *= 2 }
        self.mask = slots - 1
        self.runs = Array(repeating: 0, count: slots)
        self.counts = Array(repeating: 0, count: slots)
        self.samples = Array(repeating: .max, count: slots)
    }

    private func slot(of run: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: (run &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while samples[slot] != .max, runs[slot] != run { slot = (slot + 1) & mask }
        return slot
    }

    mutating func count(_ run: UInt64, in sample: Int) {
        let slot = slot(of: run)
        guard samples[slot] != UInt32(truncatingIfNeeded: sample) else { return }
        runs[slot] = run
        samples[slot] = UInt32(truncatingIfNeeded: sample)
        counts[slot] += 1
    }

    func count(of run: UInt64) -> UInt32 { counts[slot(of: run)] }
}
