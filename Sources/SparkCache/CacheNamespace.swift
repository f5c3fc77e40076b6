import SparkCore
import Synchronization

/// The typed entries of one kind, with their policy and the ways to read and write them. Made by `Cache.namespace`.
///
/// Memory first, then the spill, then the origin. All methods may be called from any thread.
public final class CacheNamespace<Key: CacheKeyed, Value: CacheValue>: Sendable {
    /// The rules that hold for every entry of the namespace.
    public let policy: NamespacePolicy
    private let cache: Cache
    @usableFromInline let engine: CacheEngine
    @usableFromInline let rules: NamespaceRules

    /// A struct, because a bare closure in a generic lock is wrapped again at every access.
    private struct PrefetchLoad: Sendable { let load: @Sendable (CacheKey) async -> Void }
    private let prefetchLoad = Mutex<PrefetchLoad?>(nil)

    init(cache: Cache, policy: NamespacePolicy, ordinal: Int) {
        self.cache = cache
        self.engine = cache.engine
        self.policy = policy
        self.rules = NamespaceRules(policy, ordinal: ordinal, overhead: Payload.overhead(Value.self))
    }

    private var ordinal: UInt16 { rules.ordinal }

    private func locate(_ key: CacheKey) -> (EntryKey, UInt64) {
        let entry = EntryKey(namespace: rules.identity, key: key)
        return (entry, entry.hash(seed: engine.seed))
    }

    @inlinable
    func value(_ payload: Payload) -> Value { payload.value() }

    // MARK: Reading

    /// Returns the value if memory has it and it is fresh.
    ///
    /// Never suspends and never touches the disk. Takes one shard lock; some 100 ns.
    @inlinable
    public func peek(_ key: Key) -> Value? {
        guard let payload = engine.fresh(key.cacheKey, namespace: rules.identity, ordinal: rules.ordinal) else { return nil }
        return value(payload)
    }

    // MARK: Writing

    /// Stores a value that is known to be the newest (write-through).
    ///
    /// Call it where no other write of the same thing can come between, such as in the effects of a commit. A value above
    /// `NamespacePolicy.maximumValueBytes`, or with more than 15 tags, is not stored; the older entry is removed.
    /// - Parameter tags: what the value depends on.
    @inlinable
    public func put(_ key: Key, _ value: Value, tags: [CacheTag]) {
        engine.put(key.cacheKey, Payload(value: value), cost: value.cacheCost, tags: tags, rules: rules)
    }

    /// Stores a value that depends on one tag. Like `put(_:_:tags:)` without the allocation of a list.
    @inlinable
    public func put(_ key: Key, _ value: Value, tag: CacheTag) {
        engine.put(key.cacheKey, Payload(value: value), cost: value.cacheCost, tag: tag, rules: rules)
    }

    /// Stores a value that was read from the origin after `dependencies` was made. Stores nothing if one of its tags was invalidated
    /// in between.
    public func put(_ key: Key, _ value: Value, dependencies: Dependencies) {
        let (entry, hash) = locate(key.cacheKey)
        engine.loads.supersede(entry, hash)
        store(value, entry, hash, dependencies.stamps) { dependencies.areCurrent }
        engine.loads.supersede(entry, hash)
    }

    /// Removes an entry from memory and from the spill. A load in progress does not bring it back.
    public func remove(_ key: Key) {
        let (entry, hash) = locate(key.cacheKey)
        engine.loads.supersede(entry, hash)
        engine.remove(entry, hash)
        engine.loads.supersede(entry, hash)
    }

    private func store(_ value: Value?, _ entry: EntryKey, _ hash: UInt64, _ stamps: StampSet, if isWanted: () -> Bool) {
        engine.store(entry, hash, value.map { Payload(value: $0) }, cost: value?.cacheCost ?? 0, stamps, rules, if: isWanted)
    }

    // MARK: Loading

    /// Returns the value from memory, from the spill, or from the origin, and stores what the origin answered.
    ///
    /// Callers that ask for the same key at the same time share one load (single flight). A caller never gets the value of a load that
    /// began before a write this caller may know of. When the loading caller is cancelled, one of the waiting callers loads instead.
    ///
    /// Suspends for a cold read of the disk, for a place among the concurrent loads, and for `load`.
    /// - Parameters:
    ///   - tags: what the value depends on, known before it is loaded; at most 15 with those that `load` declares. Made only if
    ///     memory does not have the value.
    ///   - load: reads the origin. Declares further dependencies before it reads them. Returns nil when there is no such thing.
    /// - Returns: the value, or nil when the origin has none. Within `staleWhileRevalidate`, an expired value.
    /// - Throws: what `load` throws, unless an expired value within `staleIfError` can be served; `CacheError.overloaded` when too many
    ///   loads wait; `CancellationError`.
    @inlinable
    public func value(
        _ key: Key, tags: @autoclosure () -> [CacheTag], load: @escaping @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        // A hit runs in the caller's module, made for its types: no call through metadata, and no list of tags.
        let found = engine.find(key.cacheKey, namespace: rules.identity, ordinal: rules.ordinal)
        if case .hit(let payload) = found { return value(payload) }
        return try await value(key.cacheKey, after: found, tags(), load)
    }

    /// Answers a request that memory alone could not.
    @usableFromInline
    func value(
        _ key: CacheKey, after found: Lookup, _ tags: [CacheTag],
        _ load: @escaping @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        let (entry, hash) = locate(key)
        switch found {
        case .hit(let payload): return value(payload)
        case .absent: return nil
        case .stale(let payload, let late):
            if late < policy.staleWhileRevalidate.milliseconds {
                if cache.limiter.hasRoom, !engine.loads.contains(entry, hash) {
                    // Best effort: if it fails, the next caller tries again.
                    Task { try? await sharedLoad(entry, hash, tags, load) }
                }
                return value(payload)
            }
        case .spilled(let location):
            if let value = readWarm(entry, hash, location) { return value }
        case .miss: break
        }
        do {
            return try await sharedLoad(entry, hash, tags, load)
        } catch  where !Task.isCancelled {
            // Looked up again: an entry that was invalidated in the meantime may not be served stale.
            guard let stale = engine.current(entry, hash, within: policy.staleIfError.milliseconds) else { throw error }
            return stale.payload.map(value)
        }
    }

    private func sharedLoad(
        _ entry: EntryKey, _ hash: UInt64, _ tags: [CacheTag], _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        while true {
            let (inflight, isOwner) = engine.loads.start(entry, hash) { Dependencies(engine.stamps, tags) }
            if isOwner { return try await runLoad(inflight, entry, hash, load) }
            engine.count(.originShared, ordinal, hash: hash)
            switch try await inflight.outcome() {
            case .loaded(let payload): return payload.map(value)
            case .failed(let error): throw error
            case .cancelled: continue
            }
        }
    }

    private func runLoad(
        _ inflight: InflightLoad, _ entry: EntryKey, _ hash: UInt64, _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        do {
            let value = try await readThrough(inflight, entry, hash, load)
            finish(inflight, entry, hash, .loaded(value.map { Payload(value: $0) }))
            return value
        } catch {
            finish(inflight, entry, hash, failure(error, hash))
            throw error
        }
    }

    /// Returns what memory or the disk has by now, or else what the origin answers.
    private func readThrough(
        _ inflight: InflightLoad, _ entry: EntryKey, _ hash: UInt64, _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        // Another load may have finished between the lookup that missed and the start of this one.
        if let found = engine.current(entry, hash), inflight.dependencies.adopt(found.stamps) { return found.payload.map(value) }
        if let found = try await readCold(entry, hash, for: inflight.dependencies) { return found }
        let loaded = try await cache.limitLoads { try await load(inflight.dependencies) }
        storeLoaded(loaded, entry, hash, of: inflight)
        return loaded
    }

    private func storeLoaded(_ loaded: Value?, _ entry: EntryKey, _ hash: UInt64, of inflight: InflightLoad) {
        engine.count(loaded == nil ? .originAbsent : .originLoad, ordinal, hash: hash)
        store(loaded, entry, hash, inflight.dependencies.stamps) { inflight.mayStore }
    }

    /// Removes the load from the table before it wakes the waiters: later callers find the stored value, or load again.
    private func finish(_ inflight: InflightLoad, _ entry: EntryKey, _ hash: UInt64, _ outcome: InflightLoad.Outcome) {
        engine.loads.finish(entry, hash, inflight)
        inflight.finish(outcome)
    }

    private func failure(_ error: any Error, _ hash: UInt64) -> InflightLoad.Outcome {
        engine.count(error is CacheError ? .originRefused : .originError, ordinal, hash: hash)
        return Task.isCancelled ? .cancelled : .failed(error)
    }

    // MARK: Many values

    /// Returns several values, in the order of the keys. One load asks the origin for all that memory and the warm part of the disk do
    /// not have.
    ///
    /// Each key is still loaded once however many calls ask for it. Stale values are not served.
    /// - Parameters:
    ///   - keys: may contain a key twice.
    ///   - tags: what the value of a key depends on.
    ///   - load: returns one value for each key it is given, in their order; nil where there is no such thing.
    /// - Throws: as `value(_:tags:load:)`.
    @inlinable
    public func values(
        _ keys: [Key], tags: (Key) -> [CacheTag], load: @Sendable ([Key]) async throws -> [Value?]
    ) async throws -> [Value?] {
        var found: [Value?] = []
        found.reserveCapacity(keys.count)
        var rest: [(place: Int, lookup: Lookup)] = []
        for place in keys.indices {
            let lookup = engine.find(keys[place].cacheKey, namespace: rules.identity, ordinal: rules.ordinal)
            if case .hit(let payload) = lookup {
                found.append(value(payload))
            } else {
                found.append(nil)
                rest.append((place, lookup))
            }
        }
        return rest.isEmpty ? found : try await values(keys, found, rest, tags: tags, load: load)
    }

    /// Completes the values that memory has.
    /// - Parameter rest: the places that memory could not fill, and what it knows of them.
    @usableFromInline
    func values(
        _ keys: [Key], _ known: [Value?], _ rest: [(place: Int, lookup: Lookup)], tags: (Key) -> [CacheTag],
        load: @Sendable ([Key]) async throws -> [Value?]
    ) async throws -> [Value?] {
        var found = known
        var missing: [Missing] = []
        for (place, lookup) in rest {
            let (entry, hash) = locate(keys[place].cacheKey)
            switch lookup {
            case .hit(let payload): found[place] = value(payload)
            case .absent: break
            case .spilled(let location):
                if let value = readWarm(entry, hash, location) { found[place] = value } else { fallthrough }
            case .stale, .miss: missing.append(Missing(place: place, key: keys[place], entry: entry, hash: hash))
            }
        }
        while !missing.isEmpty {
            var (owned, shared): ([(Missing, InflightLoad)], [(Missing, InflightLoad)]) = ([], [])
            for one in missing {
                let (inflight, isOwner) = engine.loads.start(one.entry, one.hash) { Dependencies(engine.stamps, tags(one.key)) }
                if isOwner { owned.append((one, inflight)) } else { shared.append((one, inflight)) }
            }
            // Own loads finish before this call waits for others, so two calls never wait for each other.
            if !owned.isEmpty {
                for (value, (one, _)) in zip(try await runLoads(owned, load), owned) { found[one.place] = value }
            }
            missing = []
            for (one, inflight) in shared {
                engine.count(.originShared, ordinal, hash: one.hash)
                switch try await inflight.outcome() {
                case .loaded(let payload): found[one.place] = payload.map(value)
                case .failed(let error): throw error
                case .cancelled: missing.append(one)
                }
            }
        }
        return found
    }

    /// One of several keys, which neither memory nor the warm part of the disk has.
    private struct Missing {
        let place: Int
        let key: Key
        let entry: EntryKey
        let hash: UInt64
    }

    private func runLoads(
        _ owned: [(Missing, InflightLoad)], _ load: @Sendable ([Key]) async throws -> [Value?]
    ) async throws -> [Value?] {
        do {
            let keys = owned.map(\.0.key)
            let loaded = try await cache.limitLoads { try await load(keys) }
            precondition(loaded.count == keys.count, "a load returns one value for each of its keys")
            for (value, (one, inflight)) in zip(loaded, owned) {
                storeLoaded(value, one.entry, one.hash, of: inflight)
                finish(inflight, one.entry, one.hash, .loaded(value.map { Payload(value: $0) }))
            }
            return loaded
        } catch {
            for (one, inflight) in owned { finish(inflight, one.entry, one.hash, failure(error, one.hash)) }
            throw error
        }
    }

    // MARK: The spill

    /// Reads the entry if the page cache has it; never waits for the disk.
    private func readWarm(_ entry: EntryKey, _ hash: UInt64, _ location: SpillLocation) -> Value? {
        guard let read = engine.readNow(location, key: entry) else { return nil }
        return admit(read, hash, location)
    }

    /// Reads the entry from the disk, on a thread that may block.
    private func readCold(_ entry: EntryKey, _ hash: UInt64, for dependencies: Dependencies? = nil) async throws -> Value? {
        guard let spill = engine.spill, let location = engine.shard(hash).withLock({ $0.location(hash) }) else { return nil }
        return admit(try await cache.coldReads.read(location, key: entry, from: spill), hash, location, for: dependencies)
    }

    /// Counts the read, stores the entry in memory, and removes the location from the index where it is of no more use.
    private func admit(
        _ read: SpillRead, _ hash: UInt64, _ location: SpillLocation, for dependencies: Dependencies? = nil
    ) -> Value? {
        switch read {
        case .cold: break
        case .failed, .foreign: engine.count(.diskMiss, ordinal, hash: hash)
        case .gone:
            engine.count(.diskMiss, ordinal, hash: hash)
            engine.removeFromIndex(hash, location)
        case .entry(let entry):
            if let value = promote(entry, location, for: dependencies) {
                engine.count(.diskHit, ordinal, hash: hash)
                return value
            }
            engine.count(.diskInvalidated, ordinal, hash: hash)
            engine.removeFromIndex(hash, location)
        }
        return nil
    }

    /// Stores a spilled entry in memory, if it has not expired, is current and can be decoded.
    private func promote(_ entry: SpilledEntry, _ location: SpillLocation, for dependencies: Dependencies? = nil) -> Value? {
        guard entry.key.namespace == rules.identity, entry.expiresAt > engine.clock.now().milliseconds,
            let value = Value.decode(entry.value),
            dependencies?.adopt(entry.stamps) ?? entry.stamps.allSatisfy(engine.stamps.isCurrent)
        else { return nil }
        engine.promote(
            NewEntry(
                entry.key, Payload(value: value), cost: value.cacheCost, expiresAt: entry.expiresAt,
                stamps: StampSet(entry.stamps), rules: rules, traits: .isSpilled), entry.hash, from: location)
        return value
    }

    // MARK: Prefetch and demotion

    /// Sets how `Cache.prefetch` loads an entry that neither memory nor the spill has. Without it, such an entry is loaded when it is
    /// first asked for.
    /// - Parameter load: reads the origin and stores the value itself.
    public func loadOnPrefetch(_ load: @escaping @Sendable (CacheKey) async -> Void) {
        prefetchLoad.withLock { $0 = PrefetchLoad(load: load) }
    }

    /// Marks the entry as not needed soon: it is among the first to go when memory is short. Reading it undoes this.
    public func demote(_ key: Key) { demote(key.cacheKey) }

    private func demote(_ key: CacheKey) {
        let (entry, hash) = locate(key)
        engine.demote(entry, hash)
    }

    /// Brings the entry to memory from the spill, or from the origin with `loadsMissing`.
    private func prefetch(_ key: CacheKey, loadsMissing: Bool) async {
        let (entry, hash) = locate(key)
        let isOnDisk = engine.shard(hash).withLock { !$0.touch(entry, hash) && $0.location(hash) != nil }
        // After a failed or cancelled read, the entry is loaded when it is first asked for.
        if isOnDisk { _ = try? await readCold(entry, hash) }
        if loadsMissing, let prefetchLoad = prefetchLoad.withLock({ $0 }),
            !engine.shard(hash).withLock({ $0.contains(entry, hash) })
        {
            await prefetchLoad.load(key)
        }
    }

    private static func encode(_ payload: Payload) -> [UInt8] {
        var bytes: [UInt8] = []
        payload.value(as: Value.self).encode(into: &bytes)
        return bytes
    }

    /// The namespace without its types. Holds it weakly: a namespace that nothing uses is released.
    var erased: ErasedNamespace {
        ErasedNamespace(
            policy: policy, encode: Self.encode,
            restore: { [weak self] in _ = self?.promote($0, $1) },
            prefetch: { [weak self] in await self?.prefetch($0, loadsMissing: $1) },
            demote: { [weak self] in self?.demote($0) })
    }
}

/// What the cache calls on a namespace whose types it does not know.
struct ErasedNamespace: Sendable {
    let policy: NamespacePolicy
    let encode: @Sendable (Payload) -> [UInt8]
    /// Stores an entry that an earlier process spilled in memory.
    let restore: @Sendable (SpilledEntry, SpillLocation) -> Void
    let prefetch: @Sendable (_ key: CacheKey, _ loadsMissing: Bool) async -> Void
    let demote: @Sendable (CacheKey) -> Void
}
