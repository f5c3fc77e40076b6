/// What the index and the journal identify a key by: the low 32 bits of its hash.
struct ShortHash: Hashable, Sendable {
    let value: UInt32
    init(_ hash: UInt64) { value = UInt32(truncatingIfNeeded: hash) }
}

/// The locations of a shard's spilled entries: twelve bytes an entry (32 bits of hash, eight bytes of location) at a load of 0.53
/// to 0.8, so 15 to 23 bytes an entry.
///
/// Two keys with the same short hash share an entry. The record on the disk tells them apart, and the older one is a miss. When
/// one is removed, its short hash is noted as forgotten, so that the older value of the other key does not come back at a
/// restart.
struct SpillIndex: ~Copyable {
    private struct Slot {
        var shortHash: UInt32 = 0
        var place: UInt32 = 0
        /// Zero in an empty slot.
        var length: UInt32 = 0

        var location: SpillLocation { SpillLocation(place: place, length: length) }
    }

    private var slots: UnsafeMutablePointer<Slot>
    private(set) var capacity: Int
    private(set) var count = 0
    private var sweep = 0

    init(capacity: Int = 16) {
        self.capacity = capacity
        self.slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Slot(), count: capacity)
    }

    deinit { slots.deallocate() }

    /// Bytes of memory.
    var bytes: Int { capacity * 12 }
    /// Bytes that the next entry may add.
    var growth: Int { (count + 1) * 5 > capacity * 4 ? capacity / 2 * 12 : 0 }

    private func shortHash(_ hash: UInt64) -> UInt32 { ShortHash(hash).value }

    /// The position of a short hash in a table of any capacity, proportional to its value.
    private func home(_ shortHash: UInt32) -> Int { Int(truncatingIfNeeded: (UInt64(shortHash) &* UInt64(capacity)) >> 32) }

    private func position(of shortHash: UInt32) -> (position: Int, isFound: Bool) {
        var position = home(shortHash)
        while slots[position].length != 0 {
            if slots[position].shortHash == shortHash { return (position, true) }
            position += 1
            if position == capacity { position = 0 }
        }
        return (position, false)
    }

    func find(_ hash: UInt64) -> SpillLocation? {
        guard count > 0 else { return nil }
        let (position, isFound) = position(of: shortHash(hash))
        return isFound ? slots[position].location : nil
    }

    mutating func set(_ hash: UInt64, _ location: SpillLocation) {
        guard location.length > 0 else { return }
        if growth > 0 { grow() }
        let (position, isFound) = position(of: shortHash(hash))
        if !isFound { count += 1 }
        slots[position] = Slot(shortHash: shortHash(hash), place: location.place, length: location.length)
    }

    /// - Returns: whether there was one.
    @discardableResult
    mutating func remove(_ hash: UInt64) -> Bool {
        guard count > 0 else { return false }
        let (position, isFound) = position(of: shortHash(hash))
        if isFound { close(position) }
        return isFound
    }

    private mutating func close(_ start: Int) {
        count -= 1
        var gap = start
        var position = start
        while true {
            position += 1
            if position == capacity { position = 0 }
            guard slots[position].length != 0 else { break }
            let home = home(slots[position].shortHash)
            let distance = position >= home ? position - home : position + capacity - home
            let needed = position >= gap ? position - gap : position + capacity - gap
            if distance >= needed {
                slots[gap] = slots[position]
                gap = position
            }
        }
        slots[gap].length = 0
    }

    private mutating func grow() {
        var larger = SpillIndex(capacity: capacity + capacity / 2)
        for position in 0..<capacity where slots[position].length != 0 {
            larger.slots[larger.position(of: slots[position].shortHash).position] = slots[position]
        }
        larger.count = count
        swap(&self, &larger)
    }

    /// Visits some slots from where the last call ended and removes those that are not live.
    mutating func purge(_ count: Int, isLive: (SpillLocation) -> Bool) {
        for _ in 0..<min(count, capacity) {
            if sweep >= capacity { sweep = 0 }
            if slots[sweep].length != 0, !isLive(slots[sweep].location) {
                // The slot that moved into the gap is visited next.
                close(sweep)
            } else {
                sweep += 1
            }
        }
    }
}
