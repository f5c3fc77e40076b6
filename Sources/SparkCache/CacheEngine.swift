import Crypto
import Logging
import SparkCore
import Synchronization

/// Memory and disk behind all namespaces, without their types: values are payloads, keys are hashes.
///
/// The top bits of a key's hash choose its shard. Each operation on a key takes the lock of that shard once, does no I/O under it
/// and never suspends.
@usableFromInline
final class CacheEngine: Sendable {
    /// The most namespaces.
    static let namespaceLimit = 32

    let clock: any WallClock
    let stamps: StampTable
    private let stampView: StampView
    let shards: Shards
    let loads: InflightLoads
    let seed: UInt64
    private let shardMemory: ShardArray
    private let loadCounts: InflightLoads.Counts
    /// Every spill that was attached. They are kept, so that a reader needs neither a lock nor a reference count to use one.
    private let attached = Mutex<[Spill]>([])
    /// The address of the attached spill; 0: there is none.
    private let spillAddress = Atomic<UInt>(0)
    /// A struct, because a bare closure in a generic lock is wrapped again at every access, in layers that grow forever.
    private struct Waker: Sendable { let wake: @Sendable () -> Void }
    private let pendingWork = Atomic(false)
    private let wakeFlusher = Mutex<Waker?>(nil)

    init(_ configuration: CacheConfiguration, clock: any WallClock, seed: UInt64) {
        let count = configuration.shardCount
        let memory = max(0, configuration.memoryBytes - configuration.stampCount * 4)
        let limits = ShardLimits(
            bytes: memory / count, entries: max(1, configuration.entries / count),
            pendingSpillBytes: configuration.spill == nil ? 0 : memory / count / 8, hasSpill: configuration.spill != nil)
        self.clock = clock
        self.seed = seed
        self.stamps = StampTable(count: configuration.stampCount)
        self.stampView = stamps.view
        self.shardMemory = ShardArray(count: count, limits: limits, namespaces: Self.namespaceLimit)
        self.shards = shardMemory.view
        self.loads = InflightLoads()
        self.loadCounts = loads.counts
    }

    @inline(__always)
    func shard(_ hash: UInt64) -> Shard { shards[hash: hash] }

    // MARK: The spill

    var spill: Spill? { reference?.takeUnretainedValue() }

    private var reference: Unmanaged<Spill>? {
        UnsafeRawPointer(bitPattern: spillAddress.load(ordering: .acquiring)).map { .fromOpaque($0) }
    }

    /// Reads an entry if the page cache has it; nil when there is no spill. Never waits for the disk.
    func readNow(_ location: SpillLocation, key: EntryKey) -> SpillRead? {
        reference?._withUnsafeGuaranteedRef { $0.readNow(location, key: key) }
    }

    /// Starts to use a spill. Entries evicted before already wait for it and are written at once.
    func attach(_ spill: Spill, wake: @escaping @Sendable () -> Void) {
        attached.withLock { $0.append(spill) }
        spillAddress.store(UInt(bitPattern: Unmanaged.passUnretained(spill).toOpaque()), ordering: .releasing)
        wakeFlusher.withLock { $0 = Waker(wake: wake) }
        beginSpillRound()
        self.wake()
    }

    func detach() {
        wakeFlusher.withLock { $0 = nil }
        spillAddress.store(0, ordering: .releasing)
    }

    /// Tells the flusher that entries wait. Cheap when it knows already.
    private func wake() {
        if pendingWork.load(ordering: .relaxed) || pendingWork.exchange(true, ordering: .acquiringAndReleasing) { return }
        wakeFlusher.withLock { $0 }?.wake()
    }

    /// Called by the flusher at the start of a round: entries that arrive from now on wake it again.
    func beginSpillRound() { pendingWork.store(false, ordering: .sequentiallyConsistent) }

    // MARK: Entries

    @inline(__always)
    func lookup(_ key: EntryKey, _ hash: UInt64, ordinal: UInt16) -> Lookup {
        let now = clock.now().milliseconds
        let shard = shard(hash)
        shard.prefetch(hash, counting: .memoryHit, ordinal)
        return shard.withLock { $0.lookup(key, hash, ordinal: ordinal, now: now, stamps: stampView) }
    }

    /// What memory knows of a key.
    @usableFromInline
    func find(_ key: CacheKey, namespace: UInt32, ordinal: UInt16) -> Lookup {
        let entry = EntryKey(namespace: namespace, key: key)
        return lookup(entry, entry.hash(seed: seed), ordinal: ordinal)
    }

    /// The payload, if memory has it and it is fresh.
    @usableFromInline
    func fresh(_ key: CacheKey, namespace: UInt32, ordinal: UInt16) -> Payload? {
        // Not by `find`: its result is one more value to copy and to release.
        let entry = EntryKey(namespace: namespace, key: key)
        guard case .hit(let payload) = lookup(entry, entry.hash(seed: seed), ordinal: ordinal) else { return nil }
        return payload
    }

    /// Stores a payload with the current versions of its tags.
    @usableFromInline
    func put(_ key: CacheKey, _ payload: Payload, cost: Int, tags: [CacheTag], rules: NamespaceRules) {
        put(key, payload, cost: cost, rules) { StampSet(tags, stampView) }
    }

    @usableFromInline
    func put(_ key: CacheKey, _ payload: Payload, cost: Int, tag: CacheTag, rules: NamespaceRules) {
        put(key, payload, cost: cost, rules) { StampSet(tag, stampView) }
    }

    @inline(__always)
    private func put(_ key: CacheKey, _ payload: Payload, cost: Int, _ rules: NamespaceRules, stamps: () -> StampSet) {
        let entry = EntryKey(namespace: rules.identity, key: key)
        let hash = entry.hash(seed: seed)
        shard(hash).prefetch(hash, counting: .stored, rules.ordinal)
        let stamps = stamps()
        if loadCounts.mayContain(hash) { loads.supersede(entry, hash) }
        let isStored = store(entry, hash, payload, cost: cost, stamps, rules) { stamps.areCurrent(stampView) }
        // A tag was invalidated before the entry was stored. The entry it was to replace is even older.
        if !isStored { remove(entry, hash) }
        if loadCounts.mayContain(hash) { loads.supersede(entry, hash) }
    }

    /// Stores a payload, or the fact that there is none. A value that is too large, or an absence that the namespace does not
    /// cache, only removes the existing entry.
    /// - Parameter isWanted: called under the shard's lock; when it returns false, nothing changes.
    /// - Returns: what `isWanted` returned.
    @discardableResult
    @inline(__always)
    func store(
        _ key: EntryKey, _ hash: UInt64, _ payload: Payload?, cost: Int, _ stamps: StampSet, _ rules: NamespaceRules,
        if isWanted: () -> Bool
    ) -> Bool {
        let isSmall = stamps.count <= SpilledEntry.maximumStamps && cost <= rules.maximumCost
        if !isSmall { count(.tooLarge, rules.ordinal, hash: hash) }
        // Stamps beyond the second are stored in the payload, and an absent entry has none.
        let lifetime = payload == nil ? (stamps.count <= 2 ? rules.negativeLifetime : nil) : rules.lifetime
        guard isSmall, let lifetime else { return remove(key, hash, if: isWanted) }
        let entry = NewEntry(
            key, payload, cost: cost, expiresAt: rules.expiry(lifetime, now: clock.now().milliseconds, hash: hash),
            stamps: stamps, rules: rules)
        return insert(entry, hash, if: isWanted)
    }

    @inline(__always)
    private func insert(_ entry: NewEntry, _ hash: UInt64, if isWanted: () -> Bool) -> Bool {
        let stored = shard(hash).withLock { table in isWanted() ? table.store(entry, hash) : nil }
        guard let stored else {
            entry.release()
            return false
        }
        stored.replaced?.release()
        if stored.hasPendingSpill { wake() }
        // If the process dies before the new value is on the disk, the old one must not come back.
        if stored.wasSpilled { spill?.noteForgotten([hash]) }
        return true
    }

    /// Stores an entry of an image.
    func keep(_ kept: KeptEntry) {
        let entry = NewEntry(kept, stampView)
        _ = insert(entry, kept.hash) { true }
    }

    /// What memory has of a key, if it is fresh or expired at most `late` milliseconds ago, with its stamps. A nil payload: there
    /// is no such thing. Not counted as a request.
    func current(_ key: EntryKey, _ hash: UInt64, within late: Int64 = 0) -> (payload: Payload?, stamps: [Stamp])? {
        let now = clock.now().milliseconds
        return shard(hash).withLock { $0.current(key, hash, now: now, within: late, stamps: stampView) }
    }

    func promote(_ entry: NewEntry, _ hash: UInt64, from location: SpillLocation) {
        let (isStored, hasPendingSpill) = shard(hash).withLock {
            ($0.promote(entry, hash, from: location), $0.pendingSpillCount > 0)
        }
        if !isStored { entry.release() }
        if isStored, hasPendingSpill { wake() }
    }

    /// Removes a key from memory and from the spill's index.
    /// - Parameter isWanted: called under the shard's lock; when it returns false, nothing changes.
    /// - Returns: what `isWanted` returned.
    @discardableResult
    func remove(_ key: EntryKey, _ hash: UInt64, if isWanted: () -> Bool = { true }) -> Bool {
        let wasSpilled = shard(hash).withLock { isWanted() ? $0.forget(key, hash) : nil }
        if wasSpilled == true { spill?.noteForgotten([hash]) }
        return wasSpilled != nil
    }

    func removeFromIndex(_ hash: UInt64, _ location: SpillLocation) {
        shard(hash).withLock { $0.removeFromIndex(hash, location) }
    }

    func demote(_ key: EntryKey, _ hash: UInt64) { shard(hash).withLock { $0.demote(key, hash) } }

    func count(_ counter: CacheCounter, _ ordinal: UInt16, hash: UInt64) {
        shard(hash).withLock { $0.counters.add(counter, ordinal) }
    }

    // MARK: Housekeeping

    /// Visits some entries of every shard and removes those that expired or became stale.
    func sweep(_ entriesPerShard: Int) {
        let now = clock.now().milliseconds
        let spill = spill
        for shard in shards.all {
            shard.withLock { table in
                table.sweep(entriesPerShard, now: now, stamps: stampView) { spill?.isLive($0) ?? false }
            }
        }
    }

    /// The counts of all namespaces, and what the tiers hold.
    func totals() -> (counters: [Int], bytes: Int, entries: Int, spilledEntries: Int, spillIndexBytes: Int) {
        var result = (
            counters: [Int](repeating: 0, count: Self.namespaceLimit * CounterTable.width), bytes: stamps.count * 4, entries: 0,
            spilledEntries: 0, spillIndexBytes: 0
        )
        for shard in shards.all {
            let part = shard.withLock { table -> (counters: [Int], bytes: Int, entries: Int, spilled: Int, index: Int) in
                var counters = [Int](repeating: 0, count: Self.namespaceLimit * CounterTable.width)
                table.counters.sum(into: &counters)
                return (counters, table.bytes, table.count, table.spilledCount, table.spillIndexBytes)
            }
            for index in part.counters.indices { result.counters[index] += part.counters[index] }
            result.bytes += part.bytes
            result.entries += part.entries
            result.spilledEntries += part.spilled
            result.spillIndexBytes += part.index
        }
        return result
    }
}
