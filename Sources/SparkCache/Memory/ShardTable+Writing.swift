extension ShardTable {
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
    mutating func replace(_ index: Int32, _ entry: NewEntry) -> Unmanaged<AnyObject>? {
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

    mutating func insert(_ entry: NewEntry, _ hash: UInt64) {
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

    func fill(_ index: Int32, _ entry: NewEntry) {
        records[index].expiresAt = entry.expiresAt
        records[index].graceMilliseconds = entry.graceMilliseconds
        records[link: index].cost = UInt32(clamping: entry.cost)
        records[index].first = entry.first
        records[index].second = entry.second
        records[index].object = entry.object
        records[index].traits = entry.traits
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
