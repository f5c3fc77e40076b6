import Crypto
public import Logging
public import SparkCore
import Synchronization

/// A cache in two tiers, for one process: memory in shards, and a spill of what memory has no room for.
///
/// - Entries stand in namespaces, which are declared before `open` and give them their types and rules.
/// - An entry depends on tags. `invalidate` makes every entry that depends on a tag old, in constant time; entries that were being
///   loaded meanwhile are old when they arrive. So lifetimes are a backstop, and may be long.
/// - Memory keeps to its budget in bytes by S3-FIFO. What it evicts goes to the disk, where it is compressed and sealed; a fault of
///   the disk is counted and taken as a miss.
///
/// All calls may be made from any thread. None blocks on the disk but `open` and `close`.
public final class Cache: Sendable {
    let tiers: Tiers
    let gate: LoadGate
    let coldReads = BlockingReads()
    let logger: Logger
    private let heap: HeapRelief
    let configuration: CacheConfiguration
    private let state = Mutex(State())

    private struct State {
        var namespaces: [DeclaredNamespace] = []
        var spiller: Spiller?
        var recovery: SpillRecovery?
        var isOpen = false
    }

    /// - Parameters:
    ///   - clock: decides expiry.
    ///   - random: seeds the hashes.
    public init(_ configuration: CacheConfiguration, clock: any WallClock, random: any RandomSource, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        self.heap = HeapRelief(budget: configuration.memoryBytes)
        self.gate = LoadGate(limit: configuration.concurrentLoads, capacity: configuration.waitingLoads)
        // A spill that is taken up again must find its entries under the same hashes.
        let seed = configuration.spill.map { settings in
            HMAC<SHA256>.authenticationCode(for: Array("spark/cache/seed".utf8), using: settings.key)
                .prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        self.tiers = Tiers(configuration, clock: clock, seed: seed ?? random.next())
    }

    /// Declares a namespace. To be called before `open`; names are unique.
    public func namespace<Key: CacheKeyed, Value: CacheValue>(
        _ policy: NamespacePolicy, key: Key.Type = Key.self, value: Value.Type = Value.self
    ) -> CacheNamespace<Key, Value> {
        let ordinal = state.withLock { state -> Int in
            precondition(!state.isOpen, "namespaces are declared before the cache is opened")
            precondition(state.namespaces.count < Tiers.namespaceLimit, "too many namespaces")
            precondition(!state.namespaces.contains { $0.policy.name == policy.name }, "two namespaces of one name")
            state.namespaces.append(DeclaredNamespace(policy: policy))
            return state.namespaces.count - 1
        }
        let namespace = CacheNamespace<Key, Value>(cache: self, policy: policy, ordinal: ordinal)
        state.withLock { state in
            state.namespaces[ordinal].encode = CacheNamespace<Key, Value>.encode
            state.namespaces[ordinal].revive = { [weak namespace] in namespace?.revive($0, from: $1) }
            state.namespaces[ordinal].fetchAhead = { [weak namespace] in await namespace?.fetchAhead($0, isLoaded: $1) }
            state.namespaces[ordinal].demote = { [weak namespace] in namespace?.demote($0) }
            // Not weak: what waits for the origin goes there, whoever holds the namespace.
            guard let behind = namespace.behind else { return }
            let tiers = tiers
            state.namespaces[ordinal].flushIfDue = { behind.flushIfDue(now: tiers.clock.now().milliseconds) }
            state.namespaces[ordinal].flushAll = { await behind.flushAll(now: tiers.clock.now().milliseconds) }
            state.namespaces[ordinal].unflushed = { behind.counts }
        }
        return namespace
    }

    /// The names of the namespaces, in the order of their declaration.
    public var namespaces: [NamespacePolicy] { state.withLock { $0.namespaces.map(\.policy) } }

    /// Opens the spill, if there is one. What an earlier process left is taken up in the background.
    ///
    /// A warm spill holds what was read from one state of the origin. An origin that keeps a mark, renewed at each start, tells by it
    /// whether it is still that one: a copy that was restored in the meantime bears an older mark.
    /// - Parameters:
    ///   - lastMark: what the origin bore when this start began.
    ///   - mark: what it bears from now on.
    public func open(lastMark: String = "", mark: String = "") {
        guard let settings = configuration.spill else {
            return state.withLock { $0.isOpen = true }
        }
        let declared = state.withLock { state in
            state.isOpen = true
            return state.namespaces
        }
        var opening = SpillConfiguration(
            directory: settings.directory, budget: settings.bytes,
            segmentBytes: settings.bytes > 20 << 30 ? 16 << 20 : 8 << 20, key: settings.key, isWarm: settings.isWarm,
            fingerprint: "\(settings.fingerprint) \(configuration.stampCount) \(lastMark)")
        opening.nextFingerprint = "\(settings.fingerprint) \(configuration.stampCount) \(mark)"
        opening.files = settings.files
        let spill = Spill(
            opening,
            namespaces: declared.map { SpillNamespace(identity: $0.policy.identity, isCompressed: $0.policy.isCompressed) },
            logger: logger)
        let spiller = Spiller(tiers: tiers, spill: spill, encoders: declared.map { $0.encode })
        if settings.isWarm, spill.restoreStamps(into: tiers.stamps) {
            for shard in tiers.shards.all { shard.withLock { $0.beginRecovery() } }
            tiers.attach(spill) { spiller.wake() }
            WarmRestart(tiers: tiers, spill: spill, namespaces: declared).begin { [weak self] recovery in
                self?.state.withLock { $0.recovery = recovery }
            }
        } else {
            tiers.attach(spill) { spiller.wake() }
        }
        state.withLock { $0.spiller = spiller }
    }

    /// Gives the origin what was written behind: to be called at the end, while the origin still stands. An origin that fails is asked
    /// some times more.
    public func flush() async {
        for namespace in state.withLock({ $0.namespaces }) {
            let lost = await namespace.flushAll()
            guard lost > 0 else { continue }
            logger.error(
                "The origin did not take all that was written behind",
                metadata: ["namespace": "\(namespace.policy.name)", "values": .stringConvertible(lost)])
        }
    }

    /// Finishes the spill. Warm: writes down what memory holds, so that the next process has it; else removes everything.
    public func close() async {
        let spiller = state.withLock { state in
            defer { state.spiller = nil }
            return state.spiller
        }
        guard let spiller, let spill = tiers.spill else { return }
        let isWarm = configuration.spill?.isWarm == true
        let (tiers, memory) = (tiers, configuration.memoryBytes)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            BlockingWork.run {
                let hottest = isWarm ? spiller.writeResident(limit: memory) : []
                // Attached until it is closed: what is written or invalidated meanwhile is noted.
                spill.close(hottest: hottest, stamps: tiers.stamps)
                tiers.detach()
                continuation.resume()
            }
        }
    }

    @TaskLocal private static var hasTurn = false

    /// Runs a load in its turn. A load that another one asks for runs in the turn of that one: if it had to wait for one of its own,
    /// as many loads as may run could all wait for each other.
    func takeTurn<Value>(_ load: () async throws -> Value) async throws -> Value {
        if Self.hasTurn { return try await load() }
        return try await gate.run { try await Self.$hasTurn.withValue(true, operation: load) }
    }

    // MARK: Sessions

    /// Somebody came: their entries are fetched ahead from the disk, namespace by namespace.
    /// - Parameter isLoaded: whether what is not there is loaded as well; false where very many may come at once, and few of them may
    ///   ask for it.
    public func sessionBegan(_ key: CacheKey, isLoaded: Bool = true) async {
        for namespace in state.withLock({ $0.namespaces }) where namespace.policy.followsSessions {
            await namespace.fetchAhead(key, isLoaded)
        }
    }

    /// Whether there is anything on the disk that could be fetched ahead.
    public var hasSpill: Bool { tiers.spill != nil }

    /// Somebody left: their entries go first when room is needed.
    public func sessionEnded(_ key: CacheKey) {
        for namespace in state.withLock({ $0.namespaces }) where namespace.policy.followsSessions { namespace.demote(key) }
    }

    // MARK: Housekeeping

    /// Removes some of what expired or became old, begins the flushes that are due, and gives memory back to the system; to be called about
    /// once a second. Each entry is looked at about once a minute,
    /// 4,096 entries of a shard at most a call.
    public func sweep() {
        for namespace in state.withLock({ $0.namespaces }) { namespace.flushIfDue() }
        let totals = tiers.totals()
        tiers.sweep(min(4_096, max(64, totals.entries / tiers.shards.count / 60)))
        let came = (0..<UInt16(Tiers.namespaceLimit)).reduce(0) { sum, namespace in
            sum &+ totals.tallies[TallyTable.place(.stored, namespace)] &+ totals.tallies[TallyTable.place(.diskHit, namespace)]
        }
        heap.consider(came: came, entryBytes: totals.bytes / max(1, totals.entries))
    }

    /// Returns when all that waits for the disk now is there.
    package func drainSpill() async { await state.withLock { $0.spiller }?.drain() }

    /// What happened since the start, and what is held now.
    public var statistics: CacheStatistics {
        let (namespaces, recovery) = state.withLock { ($0.namespaces, $0.recovery) }
        return CacheStatistics(
            namespaces: namespaces.map { ($0.policy.name, $0.unflushed()) }, totals: tiers.totals(), spill: tiers.spill?.counters,
            recovery: recovery,
            budget: configuration.memoryBytes)
    }
}
