/// The dating trace through a cache of one or two tiers under a regime, without the values.
public struct DatingSimulation {
    public struct Outcome: Sendable {
        public var reads = 0
        public var memoryHits = 0
        public var diskHits = 0
        /// Loads that a reader waited for.
        public var misses = 0
        /// Loads that no reader waited for: behind a stale answer, or prefetched.
        public var backgroundLoads = 0
        public var diskBytesWritten = 0
        public var hitRatio: Double { reads == 0 ? 0 : Double(memoryHits + diskHits) / Double(reads) }
        /// Loads of any kind for each read.
        public var loadRatio: Double { reads == 0 ? 0 : Double(misses + backgroundLoads) / Double(reads) }
    }

    /// An entry as one of the tiers holds it.
    private struct Copy {
        var version: UInt32 = 0
        var expiresAt: Int64 = 0
    }

    private let trace: DatingTrace
    private let regime: FreshnessRegime
    private let memory: any SimulatedPolicy
    private var disk: SegmentedDisk?
    private let namespaces: [UInt8]
    private let sizes: [UInt32]
    /// How often each entry's content changed.
    private var versions: [UInt32]
    private var inMemory: [Copy]
    private var onDisk: [Copy]
    /// How often all of `nearby` was wiped; stands in for the version of its entries.
    private var wipes: UInt32 = 0
    private var outcome = Outcome()

    /// - Parameters:
    ///   - memory: bytes; nil for no bound.
    ///   - disk: bytes; 0 for none.
    public static func run(
        _ trace: DatingTrace, regime: FreshnessRegime, policy: String = "S3-FIFO", memory: Int?, disk: Int = 0
    ) -> Outcome {
        guard
            let policy = PolicyCatalogue.policy(
                memory == nil ? "FIFO" : policy, capacity: memory ?? .max / 2, objectCount: trace.objectCount)
        else { return Outcome() }
        var simulation = DatingSimulation(trace, regime, policy, disk: disk)
        for request in trace.requests() { simulation.handle(request) }
        simulation.outcome.diskBytesWritten = simulation.disk?.bytesWritten ?? 0
        return simulation.outcome
    }

    private init(_ trace: DatingTrace, _ regime: FreshnessRegime, _ memory: any SimulatedPolicy, disk: Int) {
        let count = trace.objectCount
        self.trace = trace
        self.regime = regime
        self.memory = memory
        self.disk = disk > 0 ? SegmentedDisk(budget: disk, objectCount: count) : nil
        self.namespaces = (0..<count).map { trace.layout.namespace(of: $0).rawValue }
        self.sizes = (0..<count).map { UInt32(trace.size(of: $0)) }
        self.versions = [UInt32](repeating: 0, count: count)
        self.inMemory = [Copy](repeating: Copy(), count: count)
        self.onDisk = disk > 0 ? inMemory : []
    }

    private mutating func handle(_ request: TraceRequest) {
        let key = Int(request.key)
        switch request.kind {
        case .read: read(key, at: request.time)
        case .write: write(request)
        case .sessionBegins: if regime.hasHints { fetchAhead(key, at: request.time) }
        case .sessionEnds: if regime.hasHints { demote(key, at: request.time) }
        }
    }

    private enum State { case fresh, stale, useless }

    private func state(of copy: Copy, _ key: Int, at time: Int64) -> State {
        guard copy.version == currentVersion(key) else { return .useless }
        if time < copy.expiresAt { return .fresh }
        return time < copy.expiresAt + regime.rule(namespaces[key]).staleWhileRevalidate ? .stale : .useless
    }

    private func currentVersion(_ key: Int) -> UInt32 {
        namespaces[key] == DatingNamespace.nearby.rawValue ? wipes : versions[key]
    }

    private mutating func read(_ key: Int, at time: Int64) {
        outcome.reads += 1
        if memory.touch(key) {
            let state = state(of: inMemory[key], key, at: time)
            if state == .useless { outcome.misses += 1 } else { outcome.memoryHits += 1 }
            if state == .stale { outcome.backgroundLoads += 1 }
            if state != .fresh { inMemory[key] = newCopy(key, at: time) }
            return
        }
        var copy = newCopy(key, at: time)
        switch diskState(key, at: time) {
        case .fresh:
            outcome.diskHits += 1
            copy = onDisk[key]
        case .stale:
            outcome.diskHits += 1
            outcome.backgroundLoads += 1
        case .useless: outcome.misses += 1
        }
        insert(key, copy, at: time)
    }

    private func diskState(_ key: Int, at time: Int64) -> State {
        guard let disk, disk.contains(key) else { return .useless }
        return state(of: onDisk[key], key, at: time)
    }

    private mutating func fetchAhead(_ key: Int, at time: Int64) {
        if memory.isResident(key) {
            guard state(of: inMemory[key], key, at: time) != .fresh else { return }
            outcome.backgroundLoads += 1
            inMemory[key] = newCopy(key, at: time)
        } else if diskState(key, at: time) == .fresh {
            insert(key, onDisk[key], at: time)
        } else {
            outcome.backgroundLoads += 1
            insert(key, newCopy(key, at: time), at: time)
        }
    }

    private mutating func demote(_ key: Int, at time: Int64) {
        guard memory.isResident(key) else { return }
        memory.remove(key)
        spill(key, at: time)
    }

    private mutating func write(_ request: TraceRequest) {
        let consequence = regime.consequence(of: request, layout: trace.layout)
        if consequence.wipesNearby { wipes += 1 }
        for key in consequence.old { makeOld(key) }
        for key in consequence.changed {
            makeOld(key)
            guard regime.isWritingThrough else { continue }
            // The cost of the new value is the write's, not a load.
            insert(key, newCopy(key, at: request.time), at: request.time)
        }
    }

    /// Nothing that the cache has of the entry is valid any longer.
    private mutating func makeOld(_ key: Int) {
        versions[key] &+= 1
        memory.remove(key)
        disk?.forget(key)
    }

    private func newCopy(_ key: Int, at time: Int64) -> Copy {
        Copy(version: currentVersion(key), expiresAt: time + regime.rule(namespaces[key]).lifetime)
    }

    private mutating func insert(_ key: Int, _ copy: Copy, at time: Int64) {
        inMemory[key] = copy
        var evicted: [Int] = []
        memory.insert(key, size: Int(sizes[key])) { evicted.append($0) }
        for victim in evicted { spill(victim, at: time) }
    }

    /// Writes an evicted entry, unless the disk has it already or it may no longer be served.
    private mutating func spill(_ key: Int, at time: Int64) {
        guard let disk, regime.rule(namespaces[key]).isSpilled, state(of: inMemory[key], key, at: time) != .useless else {
            return
        }
        if disk.contains(key), onDisk[key].version == inMemory[key].version, onDisk[key].expiresAt == inMemory[key].expiresAt {
            return
        }
        onDisk[key] = inMemory[key]
        self.disk?.append(key, size: Int(sizes[key]))
    }
}
