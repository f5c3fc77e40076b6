/// One shard: the entries in memory and the index of the spilled entries, for the keys that hash to it.
///
/// Plain data; `Shard` holds the lock. Memory and index are under one lock, so a key never has an old value on the disk beside a
/// newer one in memory.
struct ShardTable<Policy: EvictionPolicy>: ~Copyable {
    // In this order, what a read needs shares one line of the processor's cache with the lock.
    private var slots = SlotTable()
    private var records = RecordSlab()
    var counters: CounterTable
    private var policy: Policy
    private var pendingSpill = IntrusiveQueue()
    private var spilled = SpillIndex()
    private let limits: ShardLimits
    private let hint: UnsafeMutablePointer<ShardHint>?
    private var sweepPosition = 0
    /// Hashes written or removed while the spill of an earlier process is being indexed; nil otherwise.
    private var touchedWhileRecovering: Set<UInt64>?

    /// - Parameter hint: kept up to date by the table; it must outlive the table.
    init(limits: ShardLimits, namespaces: Int, hint: UnsafeMutablePointer<ShardHint>? = nil) {
        self.limits = limits
        self.policy = Policy(budget: limits.bytes)
        self.counters = CounterTable(namespaces: namespaces)
        self.hint = hint
        hint?.pointee.setSlots(slots.address, capacity: slots.capacity)
        hint?.pointee.setCounters(counters.address)
    }

    /// Bytes in use: payloads, records, tables and the index of the spill.
    var bytes: Int { policy.bytes + pendingSpill.bytes + overhead }
    /// Bytes of the tables.
    private var overhead: Int { records.bytes + slots.bytes + spilled.bytes + policy.overhead }
    var count: Int { records.count }
    /// Whether memory has room for some more entries without an eviction.
    var hasRoom: Bool { policy.bytes + overhead < (limits.bytes - limits.pendingSpillBytes) / 16 * 15 }
    var pendingSpillCount: Int { pendingSpill.count }
    var spilledCount: Int { spilled.count }
    var spillIndexBytes: Int { spilled.bytes }

    @inline(__always)
    private func find(_ key: EntryKey, _ hash: UInt64) -> Int32 {
        slots.find(hash) { records[$0].key == key }
    }

    // MARK: Reading

    /// Looks a key up, counts the result and notes the read.
    @inline(__always)
    mutating func lookup(_ key: EntryKey, _ hash: UInt64, ordinal: UInt16, now: Int64, stamps: StampView) -> Lookup {
        let index = find(key, hash)
        guard index >= 0 else {
            counters.add(.memoryMiss, ordinal)
            if let location = spilled.find(hash) { return .spilled(location) }
            return .miss
        }
        records.prefetchObject(index)
        guard records[index].areStampsCurrent(stamps) else {
            counters.add(.memoryInvalidated, ordinal)
            dropStale(index)
            return .miss
        }
        if records[index].expiresAt <= now { return expired(index, ordinal, now) }
        counters.add(.memoryHit, ordinal)
        if records[index].queue == .pendingSpill { readmit(index) } else { policy.touch(index, records) }
        guard let payload = records[index].payload else { return .absent }
        return .hit(payload)
    }

    private mutating func expired(_ index: Int32, _ ordinal: UInt16, _ now: Int64) -> Lookup {
        let late = now &- records[index].expiresAt
        guard late < Int64(records[index].graceMilliseconds), let payload = records[index].payload else {
            counters.add(.memoryExpired, ordinal)
            dropStale(index)
            return .miss
        }
        counters.add(.memoryStale, ordinal)
        return .stale(payload, milliseconds: late)
    }

    /// See `CacheEngine.current`.
    func current(
        _ key: EntryKey, _ hash: UInt64, now: Int64, within late: Int64, stamps: StampView
    ) -> (payload: Payload?, stamps: [Stamp])? {
        let index = find(key, hash)
        guard index >= 0, records[index].areStampsCurrent(stamps) else { return nil }
        if records[index].traits.contains(.isAbsent) {
            return records[index].expiresAt > now ? (nil, records[index].stamps) : nil
        }
        let end = records[index].expiresAt.addingReportingOverflow(late)
        guard end.overflow || end.partialValue > now else { return nil }
        return (records[index].payload, records[index].stamps)
    }

    /// Takes an entry that waits for the spill back into the policy's queues, because it is wanted again.
    private mutating func readmit(_ index: Int32) {
        pendingSpill.remove(index, records)
        records[index].frequency = 1
        policy.insert(index, records)
    }

    func contains(_ key: EntryKey, _ hash: UInt64) -> Bool { find(key, hash) >= 0 }

    /// Notes that the entry will be needed soon.
    /// - Returns: whether it is in memory.
    mutating func touch(_ key: EntryKey, _ hash: UInt64) -> Bool {
        let index = find(key, hash)
        guard index >= 0 else { return false }
        if records[index].queue == .pendingSpill { readmit(index) } else { policy.touch(index, records) }
        return true
    }

    func location(_ hash: UInt64) -> SpillLocation? { spilled.find(hash) }

    // MARK: Writing

    /// Stores an entry, replaces an older one, and evicts what no longer fits.
    mutating func store(_ entry: NewEntry, _ hash: UInt64) -> StoreResult {
        touchedWhileRecovering?.insert(hash)
        let wasSpilled = spilled.remove(hash)
        counters.add(.stored, entry.ordinal)
        let index = find(entry.key, hash)
        if index >= 0 {
            records.prefetchObject(index)
            records.prefetchLink(index)
        }
        var old: Unmanaged<AnyObject>?
        if index >= 0, records[index].queue != .pendingSpill {
            old = replace(index, entry)
        } else {
            if index >= 0 { drop(index) }
            insert(entry, hash)
        }
        return StoreResult(
            hasPendingSpill: pendingSpill.count > 0, wasSpilled: wasSpilled || touchedWhileRecovering != nil, replaced: old)
    }

    /// Gives a record in the policy's queues another value. Its position there stays the same.
    private mutating func replace(_ index: Int32, _ entry: NewEntry) -> Unmanaged<AnyObject>? {
        let (old, oldCost) = (records[index].object, records[link: index].cost)
        records[link: index].generation &+= 1
        fill(index, entry)
        // With the same cost, the policy's memory is left untouched for the other threads.
        if records[link: index].cost != oldCost {
            policy.updateCost(index, before: Int(oldCost), records)
            evict()
        }
        return old
    }

    /// Stores an entry that was read from the disk, unless the key was written or removed in the meantime.
    mutating func promote(_ entry: NewEntry, _ hash: UInt64, from location: SpillLocation) -> Bool {
        guard spilled.find(hash) == location, find(entry.key, hash) < 0 else { return false }
        insert(entry, hash)
        return true
    }

    private mutating func insert(_ entry: NewEntry, _ hash: UInt64) {
        while !mayGrowRecords, let index = policy.evict(records) { spillOrDrop(index) }
        let index = records.acquire()
        records[index].key = entry.key
        records[index].ordinal = entry.ordinal
        records[link: index].hash = hash
        fill(index, entry)
        policy.insert(index, records)
        let capacity = slots.capacity
        slots.insert(hash, index) { records[link: $0].hash }
        if slots.capacity != capacity { hint?.pointee.setSlots(slots.address, capacity: slots.capacity) }
        evict()
    }

    private func fill(_ index: Int32, _ entry: NewEntry) {
        records[index].expiresAt = entry.expiresAt
        records[index].graceMilliseconds = entry.graceMilliseconds
        records[link: index].cost = UInt32(clamping: entry.cost)
        records[index].first = entry.first
        records[index].second = entry.second
        records[index].object = entry.object
        records[index].traits = entry.traits
    }

    /// Removes a key from memory and from the spill's index.
    /// - Returns: whether the index had it.
    @discardableResult
    mutating func forget(_ key: EntryKey, _ hash: UInt64) -> Bool {
        touchedWhileRecovering?.insert(hash)
        let index = find(key, hash)
        if index >= 0 { drop(index) }
        return spilled.remove(hash) || touchedWhileRecovering != nil
    }

    /// Removes an unusable entry from the index, if its location is still the same.
    mutating func removeFromIndex(_ hash: UInt64, _ location: SpillLocation) {
        if spilled.find(hash) == location { spilled.remove(hash) }
    }

    /// Notes that the entry is not needed soon.
    mutating func demote(_ key: EntryKey, _ hash: UInt64) {
        let index = find(key, hash)
        if index >= 0 { policy.demote(index, records) }
    }

    // MARK: Eviction

    // Tables do not shrink. Many entries of no or little weight (such as absences) must not fill a shard with tables only. So
    // the tables of records take at most a third of the shard, the index at most half, and all tables at most three quarters.

    private var mayGrowRecords: Bool {
        let growth = records.growth + slots.growth
        return growth == 0
            || records.bytes + slots.bytes + growth <= limits.bytes / 3 && overhead + growth <= limits.bytes / 4 * 3
    }

    private var mayGrowIndex: Bool {
        let growth = spilled.growth
        return growth == 0 || spilled.bytes + growth <= limits.bytes / 2 && overhead + growth <= limits.bytes / 4 * 3
    }

    private mutating func evict() {
        while bytes > limits.bytes - limits.pendingSpillBytes + pendingSpill.bytes
            || records.count - pendingSpill.count > limits.entries
        {
            guard let index = policy.evict(records) else { return }
            spillOrDrop(index)
        }
    }

    /// Lets an evicted entry wait for the spill if it is worth it and there is room; otherwise drops it.
    private mutating func spillOrDrop(_ index: Int32) {
        counters.add(.evicted, records[index].ordinal)
        let traits = records[index].traits
        guard limits.hasSpill, traits.contains(.maySpill), !traits.contains(.isAbsent),
            !traits.contains(.isSpilled) || spilled.find(records[link: index].hash) == nil
        else { return drop(index, isQueued: false) }
        guard pendingSpill.bytes + Int(records[link: index].cost) <= limits.pendingSpillBytes else {
            counters.add(.spillDropped, records[index].ordinal)
            return drop(index, isQueued: false)
        }
        records[index].queue = .pendingSpill
        records[index].frequency = 0
        pendingSpill.append(index, records)
    }

    /// Removes an entry from memory.
    private mutating func drop(_ index: Int32, isQueued: Bool = true) {
        if records[index].queue == .pendingSpill, isQueued {
            pendingSpill.remove(index, records)
        } else if isQueued {
            policy.remove(index, records)
        }
        slots.remove(records[link: index].hash, index) { records[link: $0].hash }
        records.release(index)
    }

    /// Removes a useless entry from memory, and from the index if the disk has the same value. If the disk does not have it, the
    /// index entry under this hash belongs to another key.
    private mutating func dropStale(_ index: Int32) {
        if records[index].traits.contains(.isSpilled) { spilled.remove(records[link: index].hash) }
        drop(index)
    }

    // MARK: Spilling

    /// The oldest entries that wait for the spill, at most `limit`.
    func waiting(_ limit: Int) -> [PendingSpill] {
        var list: [PendingSpill] = []
        var index = pendingSpill.oldest
        while index >= 0, list.count < limit {
            list.append(describe(index))
            index = records[link: index].next
        }
        return list
    }

    private func describe(_ index: Int32) -> PendingSpill {
        PendingSpill(
            index: index, generation: records[link: index].generation, key: records[index].key, ordinal: records[index].ordinal,
            hash: records[link: index].hash, expiresAt: records[index].expiresAt, stamps: records[index].stamps,
            payload: records[index].payload)
    }

    /// Ends the wait of an entry that the spill wrote at a location, or could not write. Memory drops it, unless it was written
    /// again or is wanted again.
    /// - Returns: whether the disk now has a useless value.
    mutating func endSpill(_ entry: PendingSpill, at location: SpillLocation?) -> Bool {
        guard records[link: entry.index].generation == entry.generation, records[entry.index].queue != .free else {
            return location != nil
        }
        if records[entry.index].queue != .pendingSpill {
            guard let location else { return false }
            // Set first, because adding to the index may evict this entry, which then is on the disk already.
            records[entry.index].traits.insert(.isSpilled)
            return !indexNew(entry.hash, location)
        }
        drop(entry.index)
        guard let location else {
            counters.add(.spillDropped, entry.ordinal)
            return false
        }
        return !indexNew(entry.hash, location)
    }

    /// Writing a key removes it from the index, so an index entry found here belongs to another key with the same short hash.
    /// That one could not be forgotten without this one, which is newer on the disk: both are removed.
    private mutating func indexNew(_ hash: UInt64, _ location: SpillLocation) -> Bool {
        !spilled.remove(hash) && addToIndex(hash, location)
    }

    /// The entries in memory that may be spilled, most read first, for a clean stop.
    func resident() -> [PendingSpill] {
        (0..<Int32(records.highest)).filter { records[$0].queue != .free && records[$0].traits.contains(.maySpill) }
            .sorted { records[$0].frequency > records[$1].frequency }
            .map { describe($0) }
    }

    func isSpilled(_ entry: PendingSpill) -> Bool {
        records[entry.index].traits.contains(.isSpilled) && spilled.find(entry.hash) != nil
    }

    /// - Returns: false when the index has no room.
    private mutating func addToIndex(_ hash: UInt64, _ location: SpillLocation) -> Bool {
        guard mayGrowIndex else { return false }
        let before = spilled.bytes
        spilled.set(hash, location)
        if spilled.bytes > before { evict() }
        return true
    }

    // MARK: Images

    /// The entries that are current, in no order.
    func current(stamps: StampView) -> [KeptEntry] {
        (0..<Int32(records.highest)).filter { records[$0].queue != .free && records[$0].areStampsCurrent(stamps) }.map { index in
            KeptEntry(records[index], hash: records[link: index].hash, cost: records[link: index].cost)
        }
    }

    /// Removes everything, also from the spill's index.
    mutating func removeAll() {
        for index in 0..<Int32(records.highest) where records[index].queue != .free { drop(index) }
        spilled = SpillIndex()
    }

    // MARK: Housekeeping

    mutating func beginRecovery() { touchedWhileRecovering = [] }
    mutating func endRecovery() { touchedWhileRecovering = nil }

    /// Indexes an entry that an earlier process spilled.
    /// - Returns: false when the index has no room.
    mutating func recover(_ hash: UInt64, _ location: SpillLocation) -> Bool {
        touchedWhileRecovering?.contains(hash) == true || addToIndex(hash, location)
    }

    /// Visits some records from where the last call ended and removes those that expired or became stale. Does the same in the
    /// index.
    mutating func sweep(_ count: Int, now: Int64, stamps: StampView, isLive: (SpillLocation) -> Bool) {
        for _ in 0..<min(count, records.highest) {
            if sweepPosition >= records.highest { sweepPosition = 0 }
            let index = Int32(sweepPosition)
            sweepPosition += 1
            guard records[index].queue != .free else { continue }
            let end = records[index].expiresAt.addingReportingOverflow(Int64(records[index].graceMilliseconds))
            if end.overflow || end.partialValue > now, records[index].areStampsCurrent(stamps) { continue }
            counters.add(.swept, records[index].ordinal)
            dropStale(index)
        }
        if spilled.count > 0 { spilled.purge(count, isLive: isLive) }
    }
}

/// What a shard may hold.
struct ShardLimits: Sendable {
    let bytes: Int
    let entries: Int
    /// The part of `bytes` for entries that wait for the spill.
    let pendingSpillBytes: Int
    let hasSpill: Bool
}

/// The result of a lookup.
@usableFromInline
enum Lookup: Sendable {
    case hit(Payload)
    /// The origin answered that there is no such thing.
    case absent
    /// Expired so many milliseconds ago, still within its grace.
    case stale(Payload, milliseconds: Int64)
    case spilled(SpillLocation)
    case miss
}

/// The effects of storing an entry.
struct StoreResult: @unchecked Sendable {  // the caller owns the only reference
    /// Entries wait for the spill.
    var hasPendingSpill = false
    /// The disk had an older value.
    var wasSpilled = false
    /// The replaced payload. The caller releases it after the lock.
    var replaced: Unmanaged<AnyObject>?
}

/// An entry that waits for the spill, or may go there.
struct PendingSpill: Sendable {
    let index: Int32
    let generation: UInt32
    let key: EntryKey
    let ordinal: UInt16
    let hash: UInt64
    let expiresAt: Int64
    let stamps: [Stamp]
    let payload: Payload?
}
