import SparkCore
import Synchronization

/// The entries of one kind: their type, their rules, and the ways to read and write them.
public final class CacheNamespace<Key: CacheKeyed, Value: CacheValue>: Sendable {
    public let policy: NamespacePolicy
    private let cache: Cache
    @usableFromInline let tiers: Tiers
    @usableFromInline let rules: NamespaceRules

    /// Of a namespace that is written behind.
    let behind: WriteBehindQueue<Key, Value>?

    /// A bare closure in a generic lock would be wrapped anew at every look.
    private struct Ahead: Sendable { let load: @Sendable (CacheKey) async -> Void }
    private let ahead = Mutex<Ahead?>(nil)

    init(cache: Cache, policy: NamespacePolicy, ordinal: Int) {
        self.cache = cache
        self.tiers = cache.tiers
        self.policy = policy
        if case .behind(let flush, let limit) = policy.writing {
            self.behind = WriteBehindQueue(interval: flush.milliseconds, limit: limit)
        } else {
            self.behind = nil
        }
        self.rules = NamespaceRules(policy, ordinal: ordinal, overhead: Payload.overhead(Value.self))
    }

    private var ordinal: UInt16 { rules.ordinal }

    private func locate(_ key: CacheKey) -> (EntryKey, UInt64) {
        let entry = EntryKey(namespace: rules.identity, key: key)
        return (entry, entry.hash(seed: tiers.seed))
    }

    @inlinable
    func value(_ payload: Payload) -> Value { payload.value() }

    static func encode(_ payload: Payload) -> [UInt8] {
        var bytes: [UInt8] = []
        payload.value(as: Value.self).encode(into: &bytes)
        return bytes
    }

    // MARK: Reading

    /// The value, if memory has it fresh. Never suspends, never touches the disk.
    @inlinable
    public func peek(_ key: Key) -> Value? {
        guard let payload = tiers.fresh(key.cacheKey, namespace: rules.identity, ordinal: rules.ordinal) else {
            return rules.isWrittenBehind ? unflushed(key.cacheKey) : nil
        }
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
        case .onDisk(let location):
            if case .value(let value) = readWarm(entry, hash, location) { return value }
        case .nothing: break
        }
        do {
            return try await fly(entry, hash, tags, load)
        } catch  where !Task.isCancelled {
            // Looked up again: since it was asked for it may have been invalidated, which allows no grace.
            guard let late = tiers.current(entry, hash, within: policy.staleIfError.milliseconds) else { throw error }
            return late.payload.map(value)
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
        var missing: [Missing] = []
        for (place, key) in keys.enumerated() {
            let (entry, hash) = locate(key.cacheKey)
            switch tiers.lookup(entry, hash, ordinal: ordinal) {
            case .hit(let payload): found[place] = value(payload)
            case .absent: break
            case .onDisk(let location):
                if case .value(let value) = readWarm(entry, hash, location) { found[place] = value } else { fallthrough }
            case .stale, .nothing:
                if let value = unflushed(entry.key) {
                    found[place] = value
                } else {
                    missing.append(Missing(place: place, key: key, entry: entry, hash: hash))
                }
            }
        }
        while !missing.isEmpty {
            var (led, followed): ([(Missing, Flight)], [(Missing, Flight)]) = ([], [])
            for one in missing {
                let (flight, isLeader) = tiers.flights.board(one.entry, one.hash) { Dependencies(tiers.stamps, tags(one.key)) }
                if isLeader { led.append((one, flight)) } else { followed.append((one, flight)) }
            }
            // Those that were boarded here land before any other is waited for: two calls never wait for each other.
            if !led.isEmpty {
                for (value, (one, _)) in zip(try await lead(led, load), led) { found[one.place] = value }
            }
            missing = []
            for (one, flight) in followed {
                tiers.count(.originShared, ordinal, hash: one.hash)
                switch try await flight.follow() {
                case .loaded(let payload): found[one.place] = payload.map(value)
                case .failed(let error): throw error
                case .abandoned: missing.append(one)
                }
            }
        }
        return found
    }

    /// A key of several that no tier has.
    private struct Missing {
        let place: Int
        let key: Key
        let entry: EntryKey
        let hash: UInt64
    }

    private func lead(_ led: [(Missing, Flight)], _ load: @Sendable ([Key]) async throws -> [Value?]) async throws -> [Value?] {
        do {
            let keys = led.map(\.0.key)
            let loaded = try await cache.takeTurn { try await load(keys) }
            precondition(loaded.count == keys.count, "a load answers for each of its keys")
            for (value, (one, flight)) in zip(loaded, led) {
                keep(value, one.entry, one.hash, of: flight)
                land(flight, one.entry, one.hash, .loaded(value.map { Payload(value: $0) }))
            }
            return loaded
        } catch {
            for (one, flight) in led { land(flight, one.entry, one.hash, failed(error, one.hash)) }
            throw error
        }
    }

    // MARK: Writing

    /// Files a value that is known to be the newest: to be called where no other write of the same thing can come between, such as in
    /// the effects of a commit (write-through).
    @inlinable
    public func put(_ key: Key, _ value: Value, tags: [CacheTag]) {
        tiers.put(key.cacheKey, Payload(value: value), cost: value.cacheCost, tags: tags, rules: rules)
    }

    /// The same, for a value that depends on one tag: it saves a list, an allocation of its own.
    @inlinable
    public func put(_ key: Key, _ value: Value, tag: CacheTag) {
        tiers.put(key.cacheKey, Payload(value: value), cost: value.cacheCost, tag: tag, rules: rules)
    }

    /// Files a value that was read after the dependencies were taken.
    public func put(_ key: Key, _ value: Value, dependencies: Dependencies) {
        let (entry, hash) = locate(key.cacheKey)
        tiers.flights.supersede(entry, hash)
        save(value, entry, hash, dependencies.stamps) { dependencies.areCurrent }
        tiers.flights.supersede(entry, hash)
    }

    /// Takes an entry out of both tiers; a load that is under way will not bring it back.
    public func remove(_ key: Key) {
        let (entry, hash) = locate(key.cacheKey)
        behind?.remove(entry.key)
        tiers.flights.supersede(entry, hash)
        tiers.remove(entry, hash)
        tiers.flights.supersede(entry, hash)
    }

    private func save(_ value: Value?, _ entry: EntryKey, _ hash: UInt64, _ stamps: StampSet, if isWanted: () -> Bool) {
        tiers.save(entry, hash, value.map { Payload(value: $0) }, cost: value?.cacheCost ?? 0, stamps, rules, if: isWanted)
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
        do {
            let value = try await obtain(flight, entry, hash, load)
            land(flight, entry, hash, .loaded(value.map { Payload(value: $0) }))
            return value
        } catch {
            land(flight, entry, hash, failed(error, hash))
            throw error
        }
    }

    /// What a tier has by now, or else what the origin says.
    private func obtain(
        _ flight: Flight, _ entry: EntryKey, _ hash: UInt64, _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        // Another flight may have landed between the look that missed and the take-off.
        if let found = tiers.current(entry, hash), flight.dependencies.adopt(found.stamps) { return found.payload.map(value) }
        // What the origin does not have yet; it says something older.
        if let value = unflushed(entry.key) { return value }
        if let found = try await readCold(entry, hash, for: flight.dependencies) { return found }
        let loaded = try await cache.takeTurn { try await load(flight.dependencies) }
        keep(loaded, entry, hash, of: flight)
        return loaded
    }

    private func keep(_ loaded: Value?, _ entry: EntryKey, _ hash: UInt64, of flight: Flight) {
        tiers.count(loaded == nil ? .originAbsent : .originLoad, ordinal, hash: hash)
        save(loaded, entry, hash, flight.dependencies.stamps) { flight.maySave }
    }

    /// Off the board first: who comes from now on finds what was kept, or loads.
    private func land(_ flight: Flight, _ entry: EntryKey, _ hash: UInt64, _ outcome: Flight.Outcome) {
        tiers.flights.land(entry, hash, flight)
        flight.finish(outcome)
    }

    private func failed(_ error: any Error, _ hash: UInt64) -> Flight.Outcome {
        tiers.count(error is CacheError ? .originRefused : .originError, ordinal, hash: hash)
        return Task.isCancelled ? .abandoned : .failed(error)
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
    private func readCold(_ entry: EntryKey, _ hash: UInt64, for dependencies: Dependencies? = nil) async throws -> Value? {
        guard let spill = tiers.spill, let location = tiers.shard(hash).withLock({ $0.location(hash) }) else { return nil }
        let read = try await cache.coldReads.read(location, key: entry, from: spill)
        guard case .value(let value) = admit(read, hash, location, for: dependencies) else { return nil }
        return value
    }

    private func admit(
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
    private func promote(_ entry: SpilledEntry, _ location: SpillLocation, for dependencies: Dependencies? = nil) -> Value? {
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

    /// Brings an entry from the disk to memory, if it is there and not in memory.
    func fetchAhead(_ key: CacheKey) async {
        let (entry, hash) = locate(key)
        let isOnDisk = tiers.shard(hash).withLock { !$0.expect(entry, hash) && $0.location(hash) != nil }
        // A fault of the disk or a cancellation leaves the entry to whoever asks for it.
        if isOnDisk { _ = try? await readCold(entry, hash) }
        if let ahead = ahead.withLock({ $0 }), !tiers.shard(hash).withLock({ $0.contains(entry, hash) }) {
            await ahead.load(key)
        }
    }

    /// How an entry that neither tier has is loaded when its person comes; without it, it waits until somebody asks.
    public func loadAhead(_ load: @escaping @Sendable (CacheKey) async -> Void) {
        ahead.withLock { $0 = Ahead(load: load) }
    }

    func demote(_ key: CacheKey) {
        let (entry, hash) = locate(key)
        tiers.demote(entry, hash)
    }

    /// The entry will not be needed soon.
    public func demote(_ key: Key) { demote(key.cacheKey) }
}
