/// One shard: the entries in memory, and the places of those on the disk, of the keys that fall to it.
///
/// Plain data: `Shard` holds the lock. That memory and index stand under one lock makes every step from one to the other whole: a
/// key never has an old value on the disk beside a newer one that went through memory.
struct ShardTable<Policy: EvictionPolicy>: ~Copyable {
    // In this order, what a read needs shares one line of the processor's cache with the lock.
    private var slots = SlotTable()
    private var records = RecordSlab()
    var tallies: TallyTable
    private var policy: Policy
    private var outgoing = RecordQueueList()
    private(set) var spilled = SpillIndex()
    private let limits: ShardLimits
    private let hint: UnsafeMutablePointer<ShardHint>?
    private var sweepPosition = 0
    /// Hashes that were written or removed while an older spill is still being read in; nil once it is.
    private var touchedWhileRecovering: Set<UInt64>?

    /// - Parameter hint: is kept up to date; it must outlive the table.
    init(limits: ShardLimits, namespaces: Int, hint: UnsafeMutablePointer<ShardHint>? = nil) {
        self.limits = limits
        self.policy = Policy(budget: limits.bytes)
        self.tallies = TallyTable(namespaces: namespaces)
        self.hint = hint
        hint?.pointee.setSlots(slots.address, capacity: slots.capacity)
        hint?.pointee.setTallies(tallies.address)
    }

    /// Bytes in use: payloads, records, tables and the index of the spill.
    var bytes: Int { policy.bytes + outgoing.bytes + overhead }
    /// Bytes of the tables.
    private var overhead: Int { records.bytes + slots.bytes + spilled.bytes + policy.overhead }
    var count: Int { records.count }
    /// Whether some entries more would evict nobody.
    var hasRoom: Bool { policy.bytes + overhead < (limits.bytes - limits.outgoingBytes) / 16 * 15 }
    var outgoingCount: Int { outgoing.count }

    @inline(__always)
    private func find(_ key: EntryKey, _ hash: UInt64) -> Int32 {
        slots.find(hash) { records[$0].key == key }
    }

    // MARK: Reading

    /// What memory knows of a key.
    @inline(__always)
    mutating func lookup(_ key: EntryKey, _ hash: UInt64, ordinal: UInt16, now: Int64, stamps: StampView) -> Lookup {
        let index = find(key, hash)
        guard index >= 0 else {
            tallies.add(.memoryMiss, ordinal)
            if let location = spilled.find(hash) { return .onDisk(location) }
            return .nothing
        }
        records.prefetchObject(index)
        guard records[index].areStampsCurrent(stamps) else {
            tallies.add(.memoryInvalidated, ordinal)
            dropStale(index)
            return .nothing
        }
        if records[index].expiresAt <= now { return expired(index, ordinal, now) }
        tallies.add(.memoryHit, ordinal)
        if records[index].queue == .outgoing { resettle(index) } else { policy.touch(index, records) }
        guard let payload = records[index].payload else { return .absent }
        return .hit(payload)
    }

    private mutating func expired(_ index: Int32, _ ordinal: UInt16, _ now: Int64) -> Lookup {
        let late = now &- records[index].expiresAt
        guard late < Int64(records[index].graceMilliseconds), let payload = records[index].payload else {
            tallies.add(.memoryExpired, ordinal)
            dropStale(index)
            return .nothing
        }
        tallies.add(.memoryStale, ordinal)
        return .stale(payload, milliseconds: late)
    }

    /// See `Tiers.current`.
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

    /// One that waits for the spill is wanted after all.
    private mutating func resettle(_ index: Int32) {
        outgoing.remove(index, records)
        records[index].frequency = 1
        policy.insert(index, records)
    }

    func contains(_ key: EntryKey, _ hash: UInt64) -> Bool { find(key, hash) >= 0 }

    /// The entry will be needed soon.
    /// - Returns: whether it is here.
    mutating func expect(_ key: EntryKey, _ hash: UInt64) -> Bool {
        let index = find(key, hash)
        guard index >= 0 else { return false }
        if records[index].queue == .outgoing { resettle(index) } else { policy.touch(index, records) }
        return true
    }

    func location(_ hash: UInt64) -> SpillLocation? { spilled.find(hash) }

    // MARK: Writing

    /// Files an entry, in place of what stood there, and evicts what no longer fits.
    mutating func store(_ entry: NewEntry, _ hash: UInt64) -> Stored {
        touchedWhileRecovering?.insert(hash)
        let wasSpilled = spilled.remove(hash)
        tallies.add(.stored, entry.ordinal)
        let index = find(entry.key, hash)
        if index >= 0 {
            records.prefetchObject(index)
            records.prefetchLink(index)
        }
        var old: Unmanaged<AnyObject>?
        if index >= 0, records[index].queue != .outgoing {
            old = replace(index, entry)
        } else {
            if index >= 0 { drop(index) }
            insert(entry, hash)
        }
        return Stored(hasOutgoing: outgoing.count > 0, wasSpilled: wasSpilled || touchedWhileRecovering != nil, replaced: old)
    }

    /// Gives a record that stands in the policy's queues another value; its place there stays.
    private mutating func replace(_ index: Int32, _ entry: NewEntry) -> Unmanaged<AnyObject>? {
        let (old, oldCost) = (records[index].object, records[link: index].cost)
        records[link: index].generation &+= 1
        fill(index, entry)
        // Of the same weight, it leaves the policy's lines of memory to the other threads as they are.
        if records[link: index].cost != oldCost {
            policy.weigh(index, before: Int(oldCost), records)
            evict()
        }
        return old
    }

    /// Files an entry that was read from the disk, unless the key was written or removed in the meantime.
    mutating func promote(_ entry: NewEntry, _ hash: UInt64, from location: SpillLocation) -> Bool {
        guard spilled.find(hash) == location, find(entry.key, hash) < 0 else { return false }
        insert(entry, hash)
        return true
    }

    // Tables do not shrink. So that a flood of entries that weigh nothing (there is no such thing) or next to nothing does not
    // leave a shard of tables alone, those of the records take a third of it at most, the index half, and all three quarters.

    private var mayGrowRecords: Bool {
        let growth = records.growth + slots.growth
        return growth == 0
            || records.bytes + slots.bytes + growth <= limits.bytes / 3 && overhead + growth <= limits.bytes / 4 * 3
    }

    private var mayGrowIndex: Bool {
        let growth = spilled.growth
        return growth == 0 || spilled.bytes + growth <= limits.bytes / 2 && overhead + growth <= limits.bytes / 4 * 3
    }

    /// - Returns: false if the index has no room for it.
    private mutating func list(_ hash: UInt64, _ location: SpillLocation) -> Bool {
        guard mayGrowIndex else { return false }
        let before = spilled.bytes
        spilled.set(hash, location)
        if spilled.bytes > before { evict() }
        return true
    }

    private mutating func insert(_ entry: NewEntry, _ hash: UInt64) {
        while !mayGrowRecords, let index = policy.evict(records) { expel(index) }
        let index = records.take()
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

    private mutating func evict() {
        while bytes > limits.bytes - limits.outgoingBytes + outgoing.bytes || records.count - outgoing.count > limits.entries {
            guard let index = policy.evict(records) else { return }
            expel(index)
        }
    }

    /// Lets one go that the policy gave up: to the spill, if it is worth it and there is room to wait.
    private mutating func expel(_ index: Int32) {
        tallies.add(.evicted, records[index].ordinal)
        let traits = records[index].traits
        guard limits.hasSpill, traits.contains(.maySpill), !traits.contains(.isAbsent),
            !traits.contains(.isSpilled) || spilled.find(records[link: index].hash) == nil
        else { return drop(index, isQueued: false) }
        guard outgoing.bytes + Int(records[link: index].cost) <= limits.outgoingBytes else {
            tallies.add(.spillDropped, records[index].ordinal)
            return drop(index, isQueued: false)
        }
        records[index].queue = .outgoing
        records[index].frequency = 0
        outgoing.append(index, records)
    }

    /// Takes an entry out of memory.
    private mutating func drop(_ index: Int32, isQueued: Bool = true) {
        if records[index].queue == .outgoing, isQueued {
            outgoing.remove(index, records)
        } else if isQueued {
            policy.remove(index, records)
        }
        slots.remove(records[link: index].hash, index) { records[link: $0].hash }
        records.give(index)
    }

    /// Takes an entry out of memory that is of no use any more, and off the index, for the disk has the same. Where it has not, what the
    /// index knows under this hash is another key's.
    private mutating func dropStale(_ index: Int32) {
        if records[index].traits.contains(.isSpilled) { spilled.remove(records[link: index].hash) }
        drop(index)
    }

    /// Takes a key out of memory and off the disk's index.
    /// - Returns: whether the disk had it.
    @discardableResult
    mutating func forget(_ key: EntryKey, _ hash: UInt64) -> Bool {
        touchedWhileRecovering?.insert(hash)
        let index = find(key, hash)
        if index >= 0 { drop(index) }
        return spilled.remove(hash) || touchedWhileRecovering != nil
    }

    /// An entry that turned out to be unusable is taken off the index, if it is still the same.
    mutating func unlist(_ hash: UInt64, _ location: SpillLocation) {
        if spilled.find(hash) == location { spilled.remove(hash) }
    }

    /// The entry will not be needed soon.
    mutating func demote(_ key: EntryKey, _ hash: UInt64) {
        let index = find(key, hash)
        if index >= 0 { policy.demote(index, records) }
    }

    // MARK: Spilling

    /// The oldest of those that wait for the spill.
    func waiting(_ limit: Int) -> [Outgoing] {
        var list: [Outgoing] = []
        var index = outgoing.oldest
        while index >= 0, list.count < limit {
            list.append(describe(index))
            index = records[link: index].next
        }
        return list
    }

    private func describe(_ index: Int32) -> Outgoing {
        Outgoing(
            index: index, generation: records[link: index].generation, key: records[index].key, ordinal: records[index].ordinal,
            hash: records[link: index].hash, expiresAt: records[index].expiresAt, stamps: records[index].stamps,
            payload: records[index].payload)
    }

    /// The spill has it, at a location, or could not take it: memory lets go of it, unless it was written anew or is wanted again.
    /// - Returns: whether the disk holds a value now that nobody wants any more.
    mutating func settle(_ entry: Outgoing, at location: SpillLocation?) -> Bool {
        guard records[link: entry.index].generation == entry.generation, records[entry.index].queue != .free else {
            return location != nil
        }
        if records[entry.index].queue != .outgoing {
            guard let location else { return false }
            // Before the index may evict it to grow: then it is there already.
            records[entry.index].traits.insert(.isSpilled)
            return !listNew(entry.hash, location)
        }
        drop(entry.index)
        guard let location else {
            tallies.add(.spillDropped, entry.ordinal)
            return false
        }
        return !listNew(entry.hash, location)
    }

    /// Writing a key takes it off the index, so what stands there is another's of the same mark. It could not be forgotten without this
    /// one, which comes after it on the disk: both are.
    private mutating func listNew(_ hash: UInt64, _ location: SpillLocation) -> Bool {
        !spilled.remove(hash) && list(hash, location)
    }

    /// The entries in memory, for a clean stop: those that were read most first.
    func resident() -> [Outgoing] {
        (0..<Int32(records.highest)).filter { records[$0].queue != .free && records[$0].traits.contains(.maySpill) }
            .sorted { records[$0].frequency > records[$1].frequency }
            .map { describe($0) }
    }

    func isSpilled(_ entry: Outgoing) -> Bool {
        records[entry.index].traits.contains(.isSpilled) && spilled.find(entry.hash) != nil
    }

    // MARK: Recovery and sweeping

    mutating func beginRecovery() { touchedWhileRecovering = [] }
    mutating func endRecovery() { touchedWhileRecovering = nil }

    /// Takes up an entry of an older process.
    /// - Returns: false if the index has no room for it.
    mutating func recover(_ hash: UInt64, _ location: SpillLocation) -> Bool {
        touchedWhileRecovering?.contains(hash) == true || list(hash, location)
    }

    /// Looks at some records, from where the last call ended, and removes what expired or became old; likewise in the index.
    mutating func sweep(_ count: Int, now: Int64, stamps: StampView, isLive: (SpillLocation) -> Bool) {
        for _ in 0..<min(count, records.highest) {
            if sweepPosition >= records.highest { sweepPosition = 0 }
            let index = Int32(sweepPosition)
            sweepPosition += 1
            guard records[index].queue != .free else { continue }
            let end = records[index].expiresAt.addingReportingOverflow(Int64(records[index].graceMilliseconds))
            if end.overflow || end.partialValue > now, records[index].areStampsCurrent(stamps) { continue }
            tallies.add(.swept, records[index].ordinal)
            dropStale(index)
        }
        if spilled.count > 0 { spilled.purge(count, isLive: isLive) }
    }

    /// Forgets everything.
    mutating func clear() {
        for index in 0..<Int32(records.highest) where records[index].queue != .free { drop(index) }
        spilled = SpillIndex()
    }
}

/// What filing an entry brought with it.
struct Stored: @unchecked Sendable {  // the reference has one owner, who called
    /// Something waits for the spill.
    var hasOutgoing = false
    /// The disk had an older value.
    var wasSpilled = false
    /// The payload that was replaced, for the caller to release when the lock is free again.
    var replaced: Unmanaged<AnyObject>?
}

/// What a shard may hold.
struct ShardLimits: Sendable {
    let bytes: Int
    let entries: Int
    /// Of `bytes`, for those that wait for the spill.
    let outgoingBytes: Int
    let hasSpill: Bool
}

/// What memory says to a key.
enum Lookup {
    case hit(Payload)
    /// The origin said that there is no such thing.
    case absent
    /// Expired since so many milliseconds, still within its grace.
    case stale(Payload, milliseconds: Int64)
    case onDisk(SpillLocation)
    case nothing
}

/// An entry to be filed, with a reference to its payload that goes over to the shard that files it.
struct NewEntry {
    let key: EntryKey
    let ordinal: UInt16
    let expiresAt: Int64
    let graceMilliseconds: UInt32
    let cost: Int
    let first: Stamp
    let second: Stamp
    let object: Unmanaged<AnyObject>?
    let traits: Record.Traits

    /// - Parameter payload: nil: there is no such thing.
    init(
        _ key: EntryKey, _ payload: Payload?, cost: Int, expiresAt: Int64, stamps: StampSet, rules: NamespaceRules,
        traits: Record.Traits = []
    ) {
        self.key = key
        self.ordinal = rules.ordinal
        self.expiresAt = expiresAt
        self.graceMilliseconds = payload == nil ? 0 : rules.graceMilliseconds
        self.cost = payload == nil ? 0 : rules.cost(cost, stamps)
        self.first = stamps.first
        self.second = stamps.second
        var traits = traits.union(payload == nil ? .isAbsent : rules.traits)
        if stamps.count > 0 { traits.insert(.hasFirstStamp) }
        if stamps.count > 1 { traits.insert(.hasSecondStamp) }
        if stamps.count > 2, let payload {
            traits.insert(.hasFurtherStamps)
            self.object = Unmanaged.passRetained(StampedPayload(payload, stamps.further))
        } else {
            self.object = payload.map { Unmanaged.passRetained($0.object) }
        }
        self.traits = traits
    }

    /// For an entry that no shard took.
    func release() { object?.release() }
}

/// An entry that waits for the spill, or might go there.
struct Outgoing: Sendable {
    let index: Int32
    let generation: UInt32
    let key: EntryKey
    let ordinal: UInt16
    let hash: UInt64
    let expiresAt: Int64
    let stamps: [Stamp]
    let payload: Payload?
}
