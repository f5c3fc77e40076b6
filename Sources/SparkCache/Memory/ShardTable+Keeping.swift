// Taking up what an older process left, and clearing away what is of no use any more.
extension ShardTable {
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
}
