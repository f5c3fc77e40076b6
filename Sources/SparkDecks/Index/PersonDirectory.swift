/// Maps people to their tiles: open addressing with eight bytes per slot (32 bits of hash, 32 bits of tile).
///
/// Identifiers are stored only in the tiles. A lookup checks the tile, and continues if the tile holds another person with the
/// same hash.
struct PersonDirectory {
    private var slots: UnsafeMutablePointer<UInt64>
    private var capacity: Int
    private(set) var count = 0
    /// False for slots in memory that somebody else frees.
    private var ownsSlots = true

    /// A directory with the slots of another one, in memory that outlives it.
    init(borrowing slots: UnsafeMutableBufferPointer<UInt64>, count: Int) {
        // A directory has slots, also when it is empty.
        self.slots = slots.baseAddress.unsafelyUnwrapped
        self.capacity = slots.count
        self.count = count
        self.ownsSlots = false
    }

    /// All slots, to be saved.
    var rawSlots: UnsafeBufferPointer<UInt64> { UnsafeBufferPointer(start: slots, count: capacity) }

    init() {
        self.capacity = 64
        self.slots = .allocate(capacity: capacity)
        slots.initialize(repeating: 0, count: capacity)
    }

    func deallocate() { if ownsSlots { slots.deallocate() } }

    var bytes: Int { capacity * 8 }

    private static func hash(_ id: Int64) -> UInt64 {
        var x = UInt64(bitPattern: id)
        x = (x ^ (x >> 32)) &* 0xD6E8_FEB8_6659_FD93
        x = (x ^ (x >> 32)) &* 0xD6E8_FEB8_6659_FD93
        return x ^ (x >> 32)
    }

    /// A slot holds the upper half of the hash and the tile's number plus one, so that an empty slot is 0.
    private static func slot(_ hash: UInt64, _ tile: Int) -> UInt64 { hash & 0xFFFF_FFFF_0000_0000 | UInt64(UInt32(tile + 1)) }

    /// The home position depends on the upper half only, so a slot can be moved without knowing the identifier.
    @inline(__always)
    private func home(_ slot: UInt64) -> Int { Int(truncatingIfNeeded: ((slot >> 32) &* UInt64(capacity)) >> 32) }

    @inline(__always)
    private func next(_ position: Int) -> Int { position + 1 == capacity ? 0 : position + 1 }

    /// The number of steps from one position to another, wrapping around.
    @inline(__always)
    private func distance(from start: Int, to end: Int) -> Int { end >= start ? end - start : end - start + capacity }

    /// The tile of a person.
    /// - Parameter isHere: whether a tile holds the person.
    func find(_ id: Int64, isHere: (Int) -> Bool) -> Int? {
        let wanted = Self.slot(Self.hash(id), 0)
        var position = home(wanted)
        while slots[position] != 0 {
            if slots[position] >> 32 == wanted >> 32 {
                let tile = Int(slots[position] & 0xFFFF_FFFF) - 1
                if isHere(tile) { return tile }
            }
            position = next(position)
        }
        return nil
    }

    /// Makes room for a number of further people.
    mutating func reserve(_ people: Int) {
        let needed = (count + people) * 4 / 3 + 1
        if needed > capacity { grow(to: people > 1 ? needed : max(needed, capacity + capacity / 2)) }
    }

    mutating func insert(_ id: Int64, tile: Int) {
        reserve(1)
        place(Self.slot(Self.hash(id), tile))
        count += 1
    }

    private func place(_ slot: UInt64) {
        var position = home(slot)
        while slots[position] != 0 { position = next(position) }
        slots[position] = slot
    }

    /// Removes a person and closes the gap by moving later slots back.
    mutating func remove(_ id: Int64, tile: Int) {
        let wanted = Self.slot(Self.hash(id), tile)
        var gap = home(wanted)
        while slots[gap] != wanted {
            if slots[gap] == 0 { return }
            gap = next(gap)
        }
        count -= 1
        var position = gap
        while true {
            position = next(position)
            let slot = slots[position]
            if slot == 0 { break }
            // A slot may move back only if its home is not after the gap.
            if distance(from: home(slot), to: position) >= distance(from: gap, to: position) {
                slots[gap] = slot
                gap = position
            }
        }
        slots[gap] = 0
    }

    private mutating func grow(to larger: Int) {
        let old = self
        capacity = larger
        ownsSlots = true
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: 0, count: capacity)
        for slot in old.rawSlots where slot != 0 { place(slot) }
        old.deallocate()
    }
}
