import SparkCore

extension CacheNamespace {
    enum DiskAnswer {
        case value(Value)
        case nothing
    }

    /// What can be read without waiting for the disk.
    func readWarm(_ entry: EntryKey, _ hash: UInt64, _ location: SpillLocation) -> DiskAnswer {
        guard let read = tiers.readNow(location, key: entry) else { return .nothing }
        return admit(read, hash, location)
    }

    /// What is on the disk but not in the page cache.
    func readCold(_ entry: EntryKey, _ hash: UInt64, for dependencies: Dependencies? = nil) async throws -> Value? {
        guard let spill = tiers.spill, let location = tiers.shard(hash).withLock({ $0.location(hash) }) else { return nil }
        let read = try await cache.coldReads.read(location, key: entry, from: spill)
        guard case .value(let value) = admit(read, hash, location, for: dependencies) else { return nil }
        return value
    }

    func admit(
        _ read: SpillRead, _ hash: UInt64, _ location: SpillLocation, for dependencies: Dependencies? = nil
    ) -> DiskAnswer {
        switch read {
        case .cold: return .nothing
        case .failed, .foreign: tiers.count(.diskMiss, ordinal, hash: hash)
        case .gone:
            tiers.count(.diskMiss, ordinal, hash: hash)
            tiers.unlist(hash, location)
        case .entry(let entry):
            if let value = promote(entry, location, for: dependencies) {
                tiers.count(.diskHit, ordinal, hash: hash)
                return .value(value)
            }
            tiers.count(.diskInvalidated, ordinal, hash: hash)
            tiers.unlist(hash, location)
        }
        return .nothing
    }

    /// Brings an entry back to memory, if it is still good.
    func promote(_ entry: SpilledEntry, _ location: SpillLocation, for dependencies: Dependencies? = nil) -> Value? {
        guard entry.key.namespace == rules.identity, entry.expiresAt > tiers.clock.now().milliseconds,
            let value = Value.decode(entry.value),
            dependencies?.adopt(entry.stamps) ?? entry.stamps.allSatisfy(tiers.stamps.isCurrent)
        else { return nil }
        tiers.promote(
            NewEntry(
                entry.key, Payload(value: value), cost: value.cacheCost, expiresAt: entry.expiresAt,
                stamps: StampSet(entry.stamps), rules: rules, traits: .isSpilled), entry.hash, from: location)
        return value
    }

    func revive(_ entry: SpilledEntry, from location: SpillLocation) { _ = promote(entry, location) }
}
