/// Finds records by hash: open addressing with linear probing, eight bytes a slot (32 bits of hash, 32 bits of place).
struct SlotTable: ~Copyable {
    private var slots: UnsafeMutablePointer<UInt64>
    private(set) var capacity: Int
    private var used = 0

    /// Bytes of memory.
    var bytes: Int { capacity * 8 }
    /// Bytes that the next slot would add.
    var growth: Int { (used + 1) * 4 > capacity * 3 ? bytes : 0 }

    init(capacity: Int = 128) {
        self.capacity = capacity
        self.slots = Self.allocate(capacity)
    }

    /// Zeroed, and aligned to a line of the processor's cache.
    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt64> {
        let slots = UnsafeMutableRawPointer.allocate(byteCount: capacity * 8, alignment: 64)
            .bindMemory(to: UInt64.self, capacity: capacity)
        slots.initialize(repeating: 0, count: capacity)
        return slots
    }

    var address: UnsafeRawPointer { UnsafeRawPointer(slots) }

    deinit { UnsafeMutableRawPointer(slots).deallocate() }

    @inline(__always)
    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (capacity - 1) }

    /// The place of the first record with this hash for which `matches` is true; -1 when there is none.
    @inline(__always)
    func find(_ hash: UInt64, where matches: (Int32) -> Bool) -> Int32 {
        let mark = hash >> 32
        var position = home(hash)
        while true {
            let slot = slots[position]
            if slot == 0 { return -1 }
            if slot >> 32 == mark {
                let index = Int32(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1
                if matches(index) { return index }
            }
            position = (position + 1) & (capacity - 1)
        }
    }

    /// - Parameter hashes: returns the hash of a place; called when the table grows.
    mutating func insert(_ hash: UInt64, _ index: Int32, hashes: (Int32) -> UInt64) {
        if growth > 0 { grow(hashes) }
        place(hash, index)
        used += 1
    }

    private func place(_ hash: UInt64, _ index: Int32) {
        var position = home(hash)
        while slots[position] != 0 { position = (position + 1) & (capacity - 1) }
        slots[position] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(UInt32(bitPattern: index &+ 1))
    }

    private mutating func grow(_ hashes: (Int32) -> UInt64) {
        let (old, oldCapacity) = (slots, capacity)
        capacity *= 2
        slots = Self.allocate(capacity)
        for position in 0..<oldCapacity where old[position] != 0 {
            let index = Int32(truncatingIfNeeded: old[position] & 0xFFFF_FFFF) &- 1
            place(hashes(index), index)
        }
        UnsafeMutableRawPointer(old).deallocate()
    }

    /// Removes the slot of a place and closes the gap by moving later slots back.
    mutating func remove(_ hash: UInt64, _ index: Int32, hashes: (Int32) -> UInt64) {
        var gap = home(hash)
        let wanted = UInt64(UInt32(bitPattern: index &+ 1))
        while slots[gap] & 0xFFFF_FFFF != wanted {
            if slots[gap] == 0 { return }
            gap = (gap + 1) & (capacity - 1)
        }
        used -= 1
        var position = gap
        while true {
            position = (position + 1) & (capacity - 1)
            let slot = slots[position]
            if slot == 0 { break }
            let home = home(hashes(Int32(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1))
            // A slot may move back only if its home is not behind the gap.
            if (position &- home) & (capacity - 1) >= (position &- gap) & (capacity - 1) {
                slots[gap] = slot
                gap = position
            }
        }
        slots[gap] = 0
    }
}
