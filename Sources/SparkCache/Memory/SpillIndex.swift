/// What the index and the forgotten know a key by: the low 32 bits of its hash.
struct SpillMark: Hashable, Sendable {
    let value: UInt32
    init(_ hash: UInt64) { value = UInt32(truncatingIfNeeded: hash) }
}

/// Where the spilled entries of a shard stand: twelve bytes an entry (32 bits of hash, eight of location) at a load of 0.53–0.8,
/// so 15–23 bytes an entry.
///
/// Two keys with the same 32 bits are taken for one: the record on the disk tells them apart, and the loser is a miss. Who takes one off
/// the index has it forgotten by its mark, so that of two such keys the older value of the other does not come back at a restart.
struct SpillIndex: ~Copyable {
    private struct Slot {
        var mark: UInt32 = 0
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

    /// Bytes that it takes of memory.
    var bytes: Int { capacity * 12 }
    /// Bytes that the next one may make it grow by.
    var growth: Int { (count + 1) * 5 > capacity * 4 ? capacity / 2 * 12 : 0 }

    private func mark(_ hash: UInt64) -> UInt32 { SpillMark(hash).value }

    /// The mark's share of the table; any capacity will do.
    private func home(_ mark: UInt32) -> Int { Int(truncatingIfNeeded: (UInt64(mark) &* UInt64(capacity)) >> 32) }

    private func position(of mark: UInt32) -> (position: Int, isFound: Bool) {
        var position = home(mark)
        while slots[position].length != 0 {
            if slots[position].mark == mark { return (position, true) }
            position += 1
            if position == capacity { position = 0 }
        }
        return (position, false)
    }

    func find(_ hash: UInt64) -> SpillLocation? {
        guard count > 0 else { return nil }
        let (position, isFound) = position(of: mark(hash))
        return isFound ? slots[position].location : nil
    }

    mutating func set(_ hash: UInt64, _ location: SpillLocation) {
        guard location.length > 0 else { return }
        if growth > 0 { grow() }
        let (position, isFound) = position(of: mark(hash))
        if !isFound { count += 1 }
        slots[position] = Slot(mark: mark(hash), place: location.place, length: location.length)
    }

    /// - Returns: whether there was one.
    @discardableResult
    mutating func remove(_ hash: UInt64) -> Bool {
        guard count > 0 else { return false }
        let (position, isFound) = position(of: mark(hash))
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
            let home = home(slots[position].mark)
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
            larger.slots[larger.position(of: slots[position].mark).position] = slots[position]
        }
        larger.count = count
        swap(&self, &larger)
    }

    /// Looks at some slots, from where the last call ended, and removes those that no longer live.
    mutating func purge(_ count: Int, isLive: (SpillLocation) -> Bool) {
        for _ in 0..<min(count, capacity) {
            if sweep >= capacity { sweep = 0 }
            if slots[sweep].length != 0, !isLive(slots[sweep].location) {
                // What moves into the gap is looked at in its turn.
                close(sweep)
            } else {
                sweep += 1
            }
        }
    }
}
