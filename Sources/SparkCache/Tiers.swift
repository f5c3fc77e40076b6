import Crypto
import Logging
import SparkCore
import Synchronization

/// Memory and disk behind all namespaces, without their types: values are payloads, keys are hashes.
///
/// A key's hash chooses the shard (its top bits); each step on a key takes that shard's lock once, does no I/O under it and
/// suspends nowhere.
@usableFromInline
final class Tiers: Sendable {
    /// Namespaces at most.
    static let namespaceLimit = 32

    let clock: any WallClock
    let stamps: StampTable
    let shards: [Shard]
    let flights = FlightBoard()
    let seed: UInt64
    private let shift: UInt64
    private let spillSlot = Mutex<Spill?>(nil)
    /// A bare closure in a generic lock is wrapped anew at every look, in layers that grow for ever.
    private struct Waker: Sendable { let wake: @Sendable () -> Void }
    private let pendingWork = Atomic(false)
    private let wakeSpiller = Mutex<Waker?>(nil)

    init(_ configuration: CacheConfiguration, clock: any WallClock, seed: UInt64) {
        let count = configuration.shardCount
        let memory = max(0, configuration.memoryBytes - configuration.stampCount * 4)
        let limits = ShardLimits(
            bytes: memory / count, entries: max(1, configuration.entries / count),
            outgoingBytes: configuration.spill == nil ? 0 : memory / count / 8, hasSpill: configuration.spill != nil)
        self.clock = clock
        self.seed = seed
        self.stamps = StampTable(count: configuration.stampCount)
        self.shards = (0..<count).map { _ in Shard(limits: limits, namespaces: Self.namespaceLimit) }
        self.shift = UInt64(64 - count.trailingZeroBitCount)
    }

    @inline(__always)
    func shard(_ hash: UInt64) -> Shard { shards[Int(truncatingIfNeeded: hash >> shift)] }

    // MARK: The spill

    var spill: Spill? { spillSlot.withLock { $0 } }

    func attach(_ spill: Spill, wake: @escaping @Sendable () -> Void) {
        spillSlot.withLock { $0 = spill }
        wakeSpiller.withLock { $0 = Waker(wake: wake) }
    }

    func detach() -> Spill? {
        wakeSpiller.withLock { $0 = nil }
        return spillSlot.withLock { spill in
            defer { spill = nil }
            return spill
        }
    }

    /// Tells the spiller that something waits; cheap when it knows already.
    private func wake() {
        if pendingWork.load(ordering: .relaxed) || pendingWork.exchange(true, ordering: .acquiringAndReleasing) { return }
        wakeSpiller.withLock { $0 }?.wake()
    }

    /// The spiller begins a round: what comes from now on wakes it again.
    func beginSpillRound() { pendingWork.store(false, ordering: .sequentiallyConsistent) }

    // MARK: Entries

    @inline(__always)
    func lookup(_ key: EntryKey, _ hash: UInt64, ordinal: UInt16) -> Lookup {
        let now = clock.now().milliseconds
        return shard(hash).table.withLock { $0.lookup(key, hash, ordinal: ordinal, now: now, stamps: stamps) }
    }

    /// The payload, if memory has it fresh.
    @usableFromInline
    func fresh(_ key: CacheKey, namespace: UInt32, ordinal: UInt16) -> Payload? {
        let entry = EntryKey(namespace: namespace, key: key)
        guard case .hit(let payload) = lookup(entry, entry.hash(seed: seed), ordinal: ordinal) else { return nil }
        return payload
    }

    /// Files a payload whose tags have their newest versions now.
    @usableFromInline
    func put(_ key: CacheKey, _ payload: Payload, cost: Int, tags: [CacheTag], rules: NamespaceRules) {
        let entry = EntryKey(namespace: rules.identity, key: key)
        let hash = entry.hash(seed: seed)
        let stamps = StampSet(tags, self.stamps)
        flights.supersede(entry, hash)
        save(entry, hash, payload, cost: cost, stamps, rules) { stamps.areCurrent(self.stamps) }
    }

    /// Files a payload, or that there is none, if it is small enough and its namespace wants it.
    func save(
        _ key: EntryKey, _ hash: UInt64, _ payload: Payload?, cost: Int, _ stamps: StampSet, _ rules: NamespaceRules,
        if isWanted: () -> Bool
    ) {
        guard stamps.count <= SpilledEntry.maximumStamps, cost <= rules.maximumCost else {
            count(.tooLarge, rules.ordinal, hash: hash)
            return remove(key, hash)
        }
        // The stamps beyond two stand in the payload, which an absent one has none of.
        let lifetime = payload == nil ? (stamps.count <= 2 ? rules.negativeLifetime : nil) : rules.lifetime
        guard let lifetime else { return }
        store(
            NewEntry(
                key: key, ordinal: rules.ordinal, expiresAt: rules.expiry(lifetime, now: clock.now().milliseconds, hash: hash),
                graceMilliseconds: payload == nil ? 0 : rules.graceMilliseconds,
                cost: payload == nil ? 0 : rules.cost(cost, stamps), stamps: stamps,
                traits: payload == nil ? .isAbsent : rules.traits), hash, payload: payload, if: isWanted)
    }

    /// Files an entry unless it is old already.
    /// - Parameter isWanted: asked under the lock; false leaves everything as it is.
    func store(_ entry: NewEntry, _ hash: UInt64, payload: Payload?, if isWanted: () -> Bool = { true }) {
        let stored = shard(hash).table.withLock { table in
            isWanted() ? table.store(entry, hash, payload: payload) : Stored()
        }
        stored.replaced?.release()
        if stored.hasOutgoing { wake() }
        // Should the process die before the new value is on the disk, the old one must not come back.
        if stored.wasSpilled { spill?.noteForgotten([hash]) }
    }

    func promote(_ entry: NewEntry, _ hash: UInt64, payload: Payload, from location: SpillLocation) {
        let hasOutgoing = shard(hash).table.withLock { table in
            table.promote(entry, hash, payload: payload, from: location) && table.outgoingCount > 0
        }
        if hasOutgoing { wake() }
    }

    /// Takes a key out of both tiers.
    func remove(_ key: EntryKey, _ hash: UInt64) {
        let wasSpilled = shard(hash).table.withLock { $0.forget(key, hash) }
        if wasSpilled { spill?.noteForgotten([hash]) }
    }

    func unlist(_ hash: UInt64, _ location: SpillLocation) {
        shard(hash).table.withLock { $0.unlist(hash, location) }
    }

    func demote(_ key: EntryKey, _ hash: UInt64) { shard(hash).table.withLock { $0.demote(key, hash) } }

    func count(_ tally: Tally, _ ordinal: UInt16, hash: UInt64) {
        shard(hash).table.withLock { $0.tallies.add(tally, ordinal) }
    }

    /// Looks at some entries of every shard, and removes what expired or became old.
    func sweep(_ entriesPerShard: Int) {
        let now = clock.now().milliseconds
        let spill = spill
        for shard in shards {
            shard.table.withLock { table in
                table.sweep(entriesPerShard, now: now, stamps: stamps) { spill?.isLive($0) ?? false }
            }
        }
    }

    /// The namespaces' counts, and what memory holds.
    func totals() -> (tallies: [Int], bytes: Int, entries: Int, spilledEntries: Int, spillIndexBytes: Int) {
        var result = (
            tallies: [Int](repeating: 0, count: Self.namespaceLimit * TallyTable.width), bytes: stamps.count * 4, entries: 0,
            spilledEntries: 0, spillIndexBytes: 0
        )
        for shard in shards {
            let part = shard.table.withLock { table -> (tallies: [Int], bytes: Int, entries: Int, spilled: Int, index: Int) in
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
