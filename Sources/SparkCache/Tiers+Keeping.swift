import SparkCore

// What is done to all shards, one after the other.
extension Tiers {
    /// Looks at some entries of every shard, and removes what expired or became old.
    func sweep(_ entriesPerShard: Int) {
        let now = clock.now().milliseconds
        let spill = spill
        for shard in shards.all {
            shard.withLock { table in
                table.sweep(entriesPerShard, now: now, stamps: stampView) { spill?.isLive($0) ?? false }
            }
        }
    }

    /// The namespaces' counts, and what memory holds.
    func totals() -> (tallies: [Int], bytes: Int, entries: Int, spilledEntries: Int, spillIndexBytes: Int) {
        var result = (
            tallies: [Int](repeating: 0, count: Self.namespaceLimit * TallyTable.width), bytes: stamps.count * 4, entries: 0,
            spilledEntries: 0, spillIndexBytes: 0
        )
        for shard in shards.all {
            let part = shard.withLock { table -> (tallies: [Int], bytes: Int, entries: Int, spilled: Int, index: Int) in
                var tallies = [Int](repeating: 0, count: Self.namespaceLimit * TallyTable.width)
                table.tallies.sum(into: &tallies)
                return (tallies, table.bytes, table.count, table.spilled.count, table.spilled.bytes)
            }
            for index in part.tallies.indices { result.tallies[index] += part.tallies[index] }
            result.bytes += part.bytes
            result.entries += part.entries
            result.spilledEntries += part.spilled
            result.spillIndexBytes += part.index
        }
        return result
    }
}
