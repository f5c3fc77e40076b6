/// One shard: the entries in memory, and the places of those on the disk, of the keys that fall to it.
///
/// Plain data: `Shard` holds the lock. That memory and index stand under one lock makes every step from one to the other whole: a
/// key never has an old value on the disk beside a newer one that went through memory. Only the extensions beside this file look into
/// the tables.
struct ShardTable<Policy: EvictionPolicy>: ~Copyable {
    // In this order, what a read needs shares one line of the processor's cache with the lock.
    var slots = SlotTable()
    var records = RecordSlab()
    var tallies: TallyTable
    var policy: Policy
    var outgoing = RecordQueueList()
    var spilled = SpillIndex()
    let limits: ShardLimits
    let hint: UnsafeMutablePointer<ShardHint>?
    var sweepPosition = 0
    /// Hashes that were written or removed while an older spill is still being read in; nil once it is.
    var touchedWhileRecovering: Set<UInt64>?

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
    var overhead: Int { records.bytes + slots.bytes + spilled.bytes + policy.overhead }
    var count: Int { records.count }
    /// Whether some entries more would evict nobody.
    var hasRoom: Bool { policy.bytes + overhead < (limits.bytes - limits.outgoingBytes) / 16 * 15 }
    var outgoingCount: Int { outgoing.count }

    @inline(__always)
    func find(_ key: EntryKey, _ hash: UInt64) -> Int32 {
        slots.find(hash) { records[$0].key == key }
    }
}

/// What a shard may hold.
struct ShardLimits: Sendable {
    let bytes: Int
    let entries: Int
    /// Of `bytes`, for those that wait for the spill.
    let outgoingBytes: Int
    let hasSpill: Bool
}
