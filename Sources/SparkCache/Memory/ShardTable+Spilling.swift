extension ShardTable {
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

    func describe(_ index: Int32) -> Outgoing {
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
    mutating func listNew(_ hash: UInt64, _ location: SpillLocation) -> Bool {
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

    /// - Returns: false if the index has no room for it.
    mutating func list(_ hash: UInt64, _ location: SpillLocation) -> Bool {
        guard mayGrowIndex else { return false }
        let before = spilled.bytes
        spilled.set(hash, location)
        if spilled.bytes > before { evict() }
        return true
    }
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
