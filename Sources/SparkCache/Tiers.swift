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
    let stampView: StampView
    let shards: Shards
    let flights: FlightBoard
    let seed: UInt64
    private let shardMemory: ShardArray
    private let departures: FlightBoard.Counts
    /// Every spill that was attached; kept, so that a reader needs neither a lock nor a count of references to use one.
    private let attached = Mutex<[Spill]>([])
    /// The address of the newest; zero: none.
    private let spillAddress = Atomic<UInt>(0)
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
        self.stampView = stamps.view
        self.shardMemory = ShardArray(count: count, limits: limits, namespaces: Self.namespaceLimit)
        self.shards = shardMemory.view
        self.flights = FlightBoard()
        self.departures = flights.counts
    }

    @inline(__always)
    func shard(_ hash: UInt64) -> Shard { shards[hash: hash] }

    // MARK: The spill

    var spill: Spill? { reference?.takeUnretainedValue() }

    private var reference: Unmanaged<Spill>? {
        UnsafeRawPointer(bitPattern: spillAddress.load(ordering: .acquiring)).map { .fromOpaque($0) }
    }

    /// Reads what the disk has without waiting for it; nil when there is none.
    func readNow(_ location: SpillLocation, key: EntryKey) -> SpillRead? {
        reference?._withUnsafeGuaranteedRef { $0.readNow(location, key: key) }
    }

    /// What was evicted before waits already, and is carried away at once.
    func attach(_ spill: Spill, wake: @escaping @Sendable () -> Void) {
        attached.withLock { $0.append(spill) }
        spillAddress.store(UInt(bitPattern: Unmanaged.passUnretained(spill).toOpaque()), ordering: .releasing)
        wakeSpiller.withLock { $0 = Waker(wake: wake) }
        beginSpillRound()
        self.wake()
    }

    func detach() {
        wakeSpiller.withLock { $0 = nil }
        spillAddress.store(0, ordering: .releasing)
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
        let shard = shard(hash)
        shard.prefetch(hash, counting: .memoryHit, ordinal)
        return shard.withLock { $0.lookup(key, hash, ordinal: ordinal, now: now, stamps: stampView) }
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
        if departures.mayHave(hash) { flights.supersede(entry, hash) }
        let isKept = save(entry, hash, payload, cost: cost, stamps, rules) { stamps.areCurrent(stampView) }
        // Old before it was filed; what it was to replace is older still.
        if !isKept { remove(entry, hash) }
        if departures.mayHave(hash) { flights.supersede(entry, hash) }
    }

    /// Files a payload, or that there is none. If it is too large, or its namespace does not want it, only takes away what stood there.
    /// - Parameter isWanted: asked under the lock; false leaves everything as it is.
    /// - Returns: whether it was wanted.
    @discardableResult
    @inline(__always)
    func save(
        _ key: EntryKey, _ hash: UInt64, _ payload: Payload?, cost: Int, _ stamps: StampSet, _ rules: NamespaceRules,
        if isWanted: () -> Bool
    ) -> Bool {
        let isSmall = stamps.count <= SpilledEntry.maximumStamps && cost <= rules.maximumCost
        if !isSmall { count(.tooLarge, rules.ordinal, hash: hash) }
        // The stamps beyond two stand in the payload, which an absent one has none of.
        let lifetime = payload == nil ? (stamps.count <= 2 ? rules.negativeLifetime : nil) : rules.lifetime
        guard isSmall, let lifetime else { return remove(key, hash, if: isWanted) }
        let entry = NewEntry(
            key, payload, cost: cost, expiresAt: rules.expiry(lifetime, now: clock.now().milliseconds, hash: hash),
            stamps: stamps,
            rules: rules)
        return store(entry, hash, if: isWanted)
    }

    @inline(__always)
    private func store(_ entry: NewEntry, _ hash: UInt64, if isWanted: () -> Bool) -> Bool {
        let stored = shard(hash).withLock { table in isWanted() ? table.store(entry, hash) : nil }
        guard let stored else {
            entry.release()
            return false
        }
        stored.replaced?.release()
        if stored.hasOutgoing { wake() }
        // Should the process die before the new value is on the disk, the old one must not come back.
        if stored.wasSpilled { spill?.noteForgotten([hash]) }
        return true
    }

    /// What memory has of a key that is fresh, or expired no longer ago than so many milliseconds, with what it depends on. No payload:
    /// there is no such thing. Not counted as a request.
    func current(_ key: EntryKey, _ hash: UInt64, within late: Int64 = 0) -> (payload: Payload?, stamps: [Stamp])? {
        let now = clock.now().milliseconds
        return shard(hash).withLock { $0.current(key, hash, now: now, within: late, stamps: stampView) }
    }

    func promote(_ entry: NewEntry, _ hash: UInt64, from location: SpillLocation) {
        let (isFiled, hasOutgoing) = shard(hash).withLock { ($0.promote(entry, hash, from: location), $0.outgoingCount > 0) }
        if !isFiled { entry.release() }
        if isFiled, hasOutgoing { wake() }
    }

    /// Takes a key out of both tiers.
    /// - Returns: whether it was wanted, which is asked under the lock.
    @discardableResult
    func remove(_ key: EntryKey, _ hash: UInt64, if isWanted: () -> Bool = { true }) -> Bool {
        let wasSpilled = shard(hash).withLock { isWanted() ? $0.forget(key, hash) : nil }
        if wasSpilled == true { spill?.noteForgotten([hash]) }
        return wasSpilled != nil
    }

    func unlist(_ hash: UInt64, _ location: SpillLocation) {
        shard(hash).withLock { $0.unlist(hash, location) }
    }

    func demote(_ key: EntryKey, _ hash: UInt64) { shard(hash).withLock { $0.demote(key, hash) } }

    func count(_ tally: Tally, _ ordinal: UInt16, hash: UInt64) {
        shard(hash).withLock { $0.tallies.add(tally, ordinal) }
    }
}
