extension ShardTable {
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

    mutating func expired(_ index: Int32, _ ordinal: UInt16, _ now: Int64) -> Lookup {
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
    mutating func resettle(_ index: Int32) {
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
