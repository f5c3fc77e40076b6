extension ShardTable {
    // Tables do not shrink. So that a flood of entries that weigh nothing (there is no such thing) or next to nothing does not
    // leave a shard of tables alone, those of the records take a third of it at most, the index half, and all three quarters.

    var mayGrowRecords: Bool {
        let growth = records.growth + slots.growth
        return growth == 0
            || records.bytes + slots.bytes + growth <= limits.bytes / 3 && overhead + growth <= limits.bytes / 4 * 3
    }

    var mayGrowIndex: Bool {
        let growth = spilled.growth
        return growth == 0 || spilled.bytes + growth <= limits.bytes / 2 && overhead + growth <= limits.bytes / 4 * 3
    }

    mutating func evict() {
        while bytes > limits.bytes - limits.outgoingBytes + outgoing.bytes || records.count - outgoing.count > limits.entries {
            guard let index = policy.evict(records) else { return }
            expel(index)
        }
    }

    /// Lets one go that the policy gave up: to the spill, if it is worth it and there is room to wait.
    mutating func expel(_ index: Int32) {
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
    mutating func drop(_ index: Int32, isQueued: Bool = true) {
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
    mutating func dropStale(_ index: Int32) {
        if records[index].traits.contains(.isSpilled) { spilled.remove(records[link: index].hash) }
        drop(index)
    }
}
