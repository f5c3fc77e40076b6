import Crypto
public import Logging
public import SparkCore
import Synchronization

/// A cache for one process with two tiers: memory in shards, and a spill on disk for entries that do not fit into memory.
///
/// - Entries belong to namespaces. A namespace is declared before `open` and gives its entries their types and rules.
/// - An entry depends on tags. `invalidate` makes every entry that depends on a tag stale, in constant time and without visiting any
///   entry. An entry that was being loaded meanwhile is stale when it arrives. So lifetimes are only a backstop and may be long.
/// - Memory keeps to its budget in bytes by S3-FIFO. What it evicts goes to the spill, compressed and encrypted. A failure of the disk
///   is counted and treated as a miss; it never fails a request.
///
/// Use: create it, declare namespaces, `open` it, and `close` it at the end. All methods may be called from any thread. Only `open`, `close` and
/// `erase` wait for the disk.
public final class Cache: Sendable {
    let engine: CacheEngine
    let limiter: LoadLimiter
    let coldReads = BlockingReads()
    private let logger: Logger
    private let trimmer: HeapTrimmer
    private let configuration: CacheConfiguration
    private let state = Mutex(State())

    private struct State {
        var namespaces: [ErasedNamespace] = []
        var flusher: SpillFlusher?
        var recovery: SpillRecovery?
        var isOpen = false
    }

    /// Creates an empty cache without a spill; see `open`.
    /// - Parameters:
    ///   - clock: decides when entries expire.
    ///   - random: seeds the hashes of keys, unless there is a spill, whose key seeds them.
    public init(_ configuration: CacheConfiguration, clock: any WallClock, random: any RandomSource, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        self.trimmer = HeapTrimmer(budget: configuration.memoryBytes)
        self.limiter = LoadLimiter(limit: configuration.concurrentLoads, capacity: configuration.waitingLoads)
        // A warm restart must find the spilled entries under the same hashes.
        let seed = configuration.spill.map { settings in
            HMAC<SHA256>.authenticationCode(for: Array("spark/cache/seed".utf8), using: settings.key)
                .prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        self.engine = CacheEngine(configuration, clock: clock, seed: seed ?? random.next())
    }

    /// Declares a namespace, before `open`.
    /// - Precondition: the name is unique in the cache, and there are at most 32 namespaces.
    public func namespace<Key: CacheKeyed, Value: CacheValue>(
        _ policy: NamespacePolicy, key: Key.Type = Key.self, value: Value.Type = Value.self
    ) -> CacheNamespace<Key, Value> {
        state.withLock { state in
            precondition(!state.isOpen, "declare namespaces before the cache is opened")
            precondition(state.namespaces.count < CacheEngine.namespaceLimit, "too many namespaces")
            precondition(!state.namespaces.contains { $0.policy.name == policy.name }, "two namespaces have the same name")
            // An entry is found by the identity alone, and its payload is read as the one type of the namespace.
            precondition(
                !state.namespaces.contains { $0.policy.identity == policy.identity }, "two namespaces have the same identity")
            let namespace = CacheNamespace<Key, Value>(cache: self, policy: policy, ordinal: state.namespaces.count)
            state.namespaces.append(namespace.erased)
            return namespace
        }
    }

    /// The policies of all namespaces, in the order of declaration.
    public var namespaces: [NamespacePolicy] { state.withLock { $0.namespaces.map(\.policy) } }

    // MARK: Opening and closing

    /// Opens the spill, if one is configured. Entries of an earlier process are recovered in the background.
    ///
    /// A warm spill holds values read from one state of the origin. An origin that keeps a mark and renews it at each start proves by it
    /// that it is still in that state: a copy that was restored in the meantime has an older mark, and the spill is discarded.
    ///
    /// Blocks for some milliseconds of disk work. Never fails: an unusable directory leaves a memory-only cache.
    /// - Parameters:
    ///   - lastMark: the origin's mark when this start began.
    ///   - mark: the origin's mark from now on.
    public func open(lastMark: String = "", mark: String = "") {
        guard let settings = configuration.spill else {
            return state.withLock { $0.isOpen = true }
        }
        let declared = state.withLock { state in
            state.isOpen = true
            return state.namespaces
        }
        // A change of how tags are hashed needs another number here: recovered stamps would belong to other tags.
        let origin = "\(settings.fingerprint) \(configuration.stampCount) tags2"
        var opening = SpillConfiguration(
            directory: settings.directory, budget: settings.bytes,
            segmentBytes: settings.bytes > 20 << 30 ? 16 << 20 : 8 << 20, key: settings.key, isWarm: settings.isWarm,
            fingerprint: "\(origin) \(lastMark)")
        opening.nextFingerprint = "\(origin) \(mark)"
        opening.files = settings.files
        let spill = Spill(
            opening,
            namespaces: declared.map { SpillNamespace(identity: $0.policy.identity, isCompressed: $0.policy.isCompressed) },
            logger: logger)
        let flusher = SpillFlusher(engine: engine, spill: spill, encoders: declared.map { $0.encode })
        if settings.isWarm, spill.restoreStamps(into: engine.stamps) {
            for shard in engine.shards.all { shard.withLock { $0.beginRecovery() } }
            engine.attach(spill) { flusher.wake() }
            WarmRestart(engine: engine, spill: spill, namespaces: declared).begin { [weak self] recovery in
                self?.state.withLock { $0.recovery = recovery }
            }
        } else {
            engine.attach(spill) { flusher.wake() }
        }
        state.withLock { $0.flusher = flusher }
    }

    /// Closes the spill. A warm spill is completed with what memory holds, for the next process; otherwise its files are removed.
    ///
    /// Suspends until the disk work is done: up to the time it takes to write the whole memory budget.
    public func close() async {
        let flusher = state.withLock { state in
            defer { state.flusher = nil }
            return state.flusher
        }
        guard let flusher, let spill = engine.spill else { return }
        let isWarm = configuration.spill?.isWarm == true
        let (engine, memory) = (engine, configuration.memoryBytes)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            BlockingWork.run {
                let hottest = isWarm ? flusher.writeResident(limit: memory) : []
                // Detached only after the close: what is written or invalidated meanwhile is noted in the journal.
                spill.close(hottest: hottest, stamps: engine.stamps)
                engine.detach()
                continuation.resume()
            }
        }
    }

    // MARK: Invalidation

    /// Takes the stamps of tags now, for an entry that is stored later.
    public func dependencies(on tags: [CacheTag]) -> Dependencies { Dependencies(engine.stamps, tags) }

    /// Makes all entries that depend on one of the tags stale, in memory and in the spill, before it returns.
    ///
    /// One atomic addition for each tag. With a warm spill, and unless `announce` was called, also one write to its journal.
    /// - Parameter isAnnounced: whether `announce` was called with these tags.
    public func invalidate(_ tags: [CacheTag], isAnnounced: Bool = false) {
        let stamps = tags.map(engine.stamps.invalidate)
        if !isAnnounced { noteInvalidations(stamps) }
    }

    /// Makes sure that a coming invalidation survives the death of the process. Call it before the commit that the tags belong to, and
    /// `invalidate` with `isAnnounced` once after it.
    ///
    /// With a warm spill one write to its journal (about 2 µs), otherwise nothing.
    public func announce(_ tags: [CacheTag]) { noteInvalidations(tags.map(engine.stamps.stamp)) }

    /// The journal counts invalidations, so each is noted once.
    private func noteInvalidations(_ stamps: [Stamp]) {
        guard configuration.spill?.isWarm == true else { return }
        engine.spill?.noteInvalidations(stamps)
    }

    /// Makes all entries that depend on one of the tags stale and overwrites them on the disk.
    ///
    /// Suspends until the disk work is done: some milliseconds for each 100 MB of spill.
    public func erase(_ tags: [CacheTag]) async {
        invalidate(tags)
        guard let spill = engine.spill else { return }
        // Entries on their way to the disk arrive before the disk is searched. Later ones are refused because they are stale.
        await drainSpill()
        let slots = Set(tags.map { engine.stamps.stamp(of: $0).slot })
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            BlockingWork.run {
                spill.erase(slots: slots)
                continuation.resume()
            }
        }
    }

    // MARK: Prefetch and demotion

    /// Brings the entries with this key to memory, in every namespace with `NamespacePolicy.isPrefetched`. Call it when the key will
    /// be asked for soon, such as at the start of a session.
    ///
    /// Suspends while it reads the disk and loads; failures are ignored.
    /// - Parameter loadsMissing: whether entries that neither tier has are loaded from the origin. Pass false where very many keys may
    ///   come at once and few of them will be asked for.
    public func prefetch(_ key: CacheKey, loadsMissing: Bool = true) async {
        for namespace in state.withLock({ $0.namespaces }) where namespace.policy.isPrefetched {
            await namespace.prefetch(key, loadsMissing)
        }
    }

    /// Marks the entries with this key as not needed soon, in every namespace with `NamespacePolicy.isPrefetched`: they are evicted
    /// first.
    public func demote(_ key: CacheKey) {
        for namespace in state.withLock({ $0.namespaces }) where namespace.policy.isPrefetched { namespace.demote(key) }
    }

    /// Whether the spill is open, so that `prefetch` may find entries there.
    public var hasSpill: Bool { engine.spill != nil }

    // MARK: Loads

    @TaskLocal private static var isLoading = false

    /// Runs a load when there is room among the concurrent loads. A load inside another load runs at once: if it had to wait for a place
    /// of its own, the running loads could all wait for each other.
    func limitLoads<Value>(_ load: () async throws -> Value) async throws -> Value {
        if Self.isLoading { return try await load() }
        return try await limiter.run { try await Self.$isLoading.withValue(true, operation: load) }
    }

    // MARK: Housekeeping

    /// Removes some of the entries that expired or became stale, and returns free memory to the system. Call it about once a second.
    ///
    /// Visits each entry about once a minute, at most 4,096 entries of a shard in one call.
    public func sweep() {
        let totals = engine.totals()
        engine.sweep(min(4_096, max(64, totals.entries / engine.shards.count / 60)))
        let arrived = (0..<UInt16(CacheEngine.namespaceLimit)).reduce(0) { sum, namespace in
            sum &+ totals.counters[CounterTable.place(.stored, namespace)]
                &+ totals.counters[CounterTable.place(.diskHit, namespace)]
        }
        trimmer.consider(arrived: arrived, entryBytes: totals.bytes / max(1, totals.entries))
    }

    /// Returns when everything that waits for the disk now has been written or dropped.
    package func drainSpill() async { await state.withLock { $0.flusher }?.drain() }

    /// The counts since the start and the current sizes. Takes each shard's lock once.
    public var statistics: CacheStatistics {
        let (namespaces, recovery) = state.withLock { ($0.namespaces, $0.recovery) }
        return CacheStatistics(
            namespaces: namespaces.map { $0.policy.name }, totals: engine.totals(), spill: engine.spill?.counters,
            recovery: recovery, budget: configuration.memoryBytes)
    }
}

/// Why the cache did not load a value.
public enum CacheError: ClientError {
    /// Too many loads run and wait already. Temporary; HTTP 503 with `Retry-After: 1`.
    case overloaded

    /// `cache.overloaded`
    public var code: String { "cache.overloaded" }
    /// 503
    public var status: Int { 503 }
    /// A constant text without personal data.
    public var detail: String { "Too many reads are waiting." }
    /// Always true: a retry may succeed.
    public var isTemporary: Bool { true }
    /// One second.
    public var retryAfter: Duration? { .seconds(1) }
}
