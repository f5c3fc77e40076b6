import SparkCore
import Synchronization

/// The entries of one kind: their type, their rules, and the ways to read and write them.
public final class CacheNamespace<Key: CacheKeyed, Value: CacheValue>: Sendable {
    public let policy: NamespacePolicy
    private let cache: Cache
    @usableFromInline let tiers: Tiers
    @usableFromInline let rules: NamespaceRules

    private let ahead = Mutex<(@Sendable (CacheKey) async -> Void)?>(nil)

    init(cache: Cache, policy: NamespacePolicy, ordinal: Int) {
        self.cache = cache
        self.tiers = cache.tiers
        self.policy = policy
        self.rules = NamespaceRules(policy, ordinal: ordinal)
    }

    private var ordinal: UInt16 { rules.ordinal }

    private func locate(_ key: CacheKey) -> (EntryKey, UInt64) {
        let entry = EntryKey(namespace: rules.identity, key: key)
        return (entry, entry.hash(seed: tiers.seed))
    }

    @inlinable
    func value(_ payload: Payload) -> Value { unsafeDowncast(payload, to: Box<Value>.self).value }

    static func encode(_ payload: Payload) -> [UInt8] {
        var bytes: [UInt8] = []
        unsafeDowncast(payload, to: Box<Value>.self).value.encode(into: &bytes)
        return bytes
    }

    // MARK: Reading

    /// The value, if memory has it fresh. Never suspends, never touches the disk.
    @inlinable
    public func peek(_ key: Key) -> Value? {
        guard let payload = tiers.fresh(key.cacheKey, namespace: rules.identity, ordinal: rules.ordinal) else { return nil }
        return value(payload)
    }

    /// The value from memory, from the disk, or from the origin, whose answer is kept.
    ///
    /// Who asks for the same key while it is being loaded shares the load; a load that began before a write that this caller may
    /// know of is not shared. When the caller that loads is cancelled, one of those who wait loads instead.
    /// - Parameters:
    ///   - tags: what the value depends on, known before it is loaded; at most 15 with those that `load` declares.
    ///   - load: asks the origin. Declares what else the value depends on before it reads it. Nil: there is no such thing.
    /// - Throws: what `load` throws, `CacheError.overloaded`, `CancellationError`.
    public func value(
        _ key: Key, tags: [CacheTag], load: @escaping @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        let (entry, hash) = locate(key.cacheKey)
        var grace: Payload?
        switch tiers.lookup(entry, hash, ordinal: ordinal) {
        case .hit(let payload): return value(payload)
        case .absent: return nil
        case .stale(let payload, let late):
            if late < policy.staleWhileRevalidate.milliseconds {
                if cache.gate.hasRoom, !tiers.flights.isFlying(entry, hash) {
                    // Best effort: if it fails, the next to ask tries again.
                    Task { try? await fly(entry, hash, tags, load) }
                }
                return value(payload)
            }
            grace = payload
        case .onDisk(let location):
            if case .value(let value) = readWarm(entry, hash, location) { return value }
        case .nothing: break
        }
        do {
            return try await fly(entry, hash, tags, load)
        } catch let error where !(error is CancellationError) {
            guard let grace else { throw error }
            return value(grace)
        }
    }

    /// Several values at once, in the order of the keys. What neither tier has is asked of the origin in one load.
    /// - Parameters:
    ///   - tags: what the value of a key depends on.
    ///   - load: gives a value for each of the keys it is given, nil for those there are none of.
    public func values(
        _ keys: [Key], tags: (Key) -> [CacheTag], load: @Sendable ([Key]) async throws -> [Value?]
    ) async throws -> [Value?] {
        var found = [Value?](repeating: nil, count: keys.count)
        var missing: [(place: Int, key: Key, dependencies: Dependencies)] = []
        for (place, key) in keys.enumerated() {
            let (entry, hash) = locate(key.cacheKey)
            switch tiers.lookup(entry, hash, ordinal: ordinal) {
            case .hit(let payload): found[place] = value(payload)
            case .absent: break
            case .onDisk(let location):
                if case .value(let value) = readWarm(entry, hash, location) { found[place] = value } else { fallthrough }
            case .stale, .nothing: missing.append((place, key, Dependencies(tiers.stamps, tags(key))))
            }
        }
        guard !missing.isEmpty else { return found }
        let wanted = missing.map(\.key)
        let loaded = try await cache.gate.run { try await load(wanted) }
        for (value, (place, key, dependencies)) in zip(loaded, missing) {
            found[place] = value
            let (entry, hash) = locate(key.cacheKey)
            tiers.count(value == nil ? .originAbsent : .originLoad, ordinal, hash: hash)
            save(value, entry, hash, dependencies.stamps) { dependencies.areCurrent }
        }
        return found
    }

    // MARK: Writing

    /// Files a value that is known to be the newest: to be called where no other write of the same thing can come between, such as in
    /// the effects of a commit (write-through).
    @inlinable
    public func put(_ key: Key, _ value: Value, tags: [CacheTag]) {
        tiers.put(key.cacheKey, Box(value), cost: value.cacheCost, tags: tags, rules: rules)
    }

    /// Files a value that was read after the dependencies were taken.
    public func put(_ key: Key, _ value: Value, dependencies: Dependencies) {
        let (entry, hash) = locate(key.cacheKey)
        tiers.flights.supersede(entry, hash)
        save(value, entry, hash, dependencies.stamps) { dependencies.areCurrent }
    }

    /// Takes an entry out of both tiers; a load that is under way will not bring it back.
    public func remove(_ key: Key) {
        let (entry, hash) = locate(key.cacheKey)
        tiers.flights.supersede(entry, hash)
        tiers.remove(entry, hash)
    }

    private func save(_ value: Value?, _ entry: EntryKey, _ hash: UInt64, _ stamps: StampSet, if isWanted: () -> Bool) {
        tiers.save(entry, hash, value.map(Box.init), cost: value?.cacheCost ?? 0, stamps, rules, if: isWanted)
    }

    // MARK: Loading

    private func fly(
        _ entry: EntryKey, _ hash: UInt64, _ tags: [CacheTag], _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        while true {
            let (flight, isLeader) = tiers.flights.board(entry, hash) { Dependencies(tiers.stamps, tags) }
            if isLeader { return try await lead(flight, entry, hash, load) }
            tiers.count(.originShared, ordinal, hash: hash)
            switch try await flight.follow() {
            case .loaded(let payload): return payload.map(value)
            case .failed(let error): throw error
            case .abandoned: continue
            }
        }
    }

    private func lead(
        _ flight: Flight, _ entry: EntryKey, _ hash: UInt64, _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        defer { tiers.flights.land(entry, hash, flight) }
        do {
            if let found = try await readCold(entry, hash) {
                flight.finish(.loaded(Box(found)))
                return found
            }
            let loaded = try await cache.gate.run { try await load(flight.dependencies) }
            tiers.count(loaded == nil ? .originAbsent : .originLoad, ordinal, hash: hash)
            save(loaded, entry, hash, flight.dependencies.stamps) { flight.maySave }
            flight.finish(.loaded(loaded.map(Box.init)))
            return loaded
        } catch {
            if error is CacheError {
                tiers.count(.originRefused, ordinal, hash: hash)
            } else {
                tiers.count(.originError, ordinal, hash: hash)
            }
            flight.finish(error is CancellationError || Task.isCancelled ? .abandoned : .failed(error))
            throw error
        }
    }

    // MARK: The disk

    private enum DiskAnswer {
        case value(Value)
        case nothing
    }

    /// What can be read without waiting for the disk.
    private func readWarm(_ entry: EntryKey, _ hash: UInt64, _ location: SpillLocation) -> DiskAnswer {
        guard let spill = tiers.spill else { return .nothing }
        return admit(spill.readNow(location, key: entry), hash, location)
    }

    /// What is on the disk but not in the page cache.
    private func readCold(_ entry: EntryKey, _ hash: UInt64) async throws -> Value? {
        guard let spill = tiers.spill, let location = tiers.shard(hash).table.withLock({ $0.location(hash) }) else { return nil }
        let read = try await cache.coldReads.read(location, key: entry, from: spill)
        guard case .value(let value) = admit(read, hash, location) else { return nil }
        return value
    }

    private func admit(_ read: SpillRead, _ hash: UInt64, _ location: SpillLocation) -> DiskAnswer {
        switch read {
        case .cold: return .nothing
        case .failed: tiers.count(.diskMiss, ordinal, hash: hash)
        case .gone:
            tiers.count(.diskMiss, ordinal, hash: hash)
            tiers.unlist(hash, location)
        case .entry(let entry):
            if let value = promote(entry, location) {
                tiers.count(.diskHit, ordinal, hash: hash)
                return .value(value)
            }
            tiers.count(.diskInvalidated, ordinal, hash: hash)
            tiers.unlist(hash, location)
        }
        return .nothing
    }

    /// Brings an entry back to memory, if it is still good.
    private func promote(_ entry: SpilledEntry, _ location: SpillLocation) -> Value? {
        guard entry.key.namespace == rules.identity, entry.expiresAt > tiers.clock.now().milliseconds,
            entry.stamps.allSatisfy(tiers.stamps.isCurrent), let value = Value.decode(entry.value)
        else { return nil }
        let stamps = StampSet(entry.stamps)
        tiers.promote(
            NewEntry(
                key: entry.key, ordinal: ordinal, expiresAt: entry.expiresAt, graceMilliseconds: rules.graceMilliseconds,
                cost: rules.cost(value.cacheCost, stamps), stamps: stamps, traits: rules.traits.union(.isSpilled)),
            entry.hash, payload: Box(value), from: location)
        return value
    }

    func revive(_ entry: SpilledEntry, from location: SpillLocation) { _ = promote(entry, location) }

    /// Brings an entry from the disk to memory, if it is there and not in memory.
    func fetchAhead(_ key: CacheKey) async {
        let (entry, hash) = locate(key)
        let isOnDisk = tiers.shard(hash).table.withLock { !$0.contains(entry, hash) && $0.location(hash) != nil }
        // A fault of the disk or a cancellation leaves the entry to whoever asks for it.
        if isOnDisk { _ = try? await readCold(entry, hash) }
        if let ahead = ahead.withLock({ $0 }), !tiers.shard(hash).table.withLock({ $0.contains(entry, hash) }) {
            await ahead(key)
        }
    }

    /// How an entry that neither tier has is loaded when its person comes; without it, it waits until somebody asks.
    public func loadAhead(_ load: @escaping @Sendable (CacheKey) async -> Void) { ahead.withLock { $0 = load } }

    func demote(_ key: CacheKey) {
        let (entry, hash) = locate(key)
        tiers.demote(entry, hash)
    }

    /// The entry will not be needed soon.
    public func demote(_ key: Key) { demote(key.cacheKey) }
}
