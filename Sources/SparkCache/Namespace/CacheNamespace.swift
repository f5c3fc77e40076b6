import SparkCore
import Synchronization

/// The entries of one kind: their type, their rules, and the ways to read and write them.
public final class CacheNamespace<Key: CacheKeyed, Value: CacheValue>: Sendable {
    public let policy: NamespacePolicy
    let cache: Cache
    @usableFromInline let tiers: Tiers
    @usableFromInline let rules: NamespaceRules

    /// Of a namespace that is written behind.
    let behind: WriteBehindQueue<Key, Value>?

    /// A bare closure in a generic lock would be wrapped anew at every look.
    struct Ahead: Sendable { let load: @Sendable (CacheKey) async -> Void }
    let ahead = Mutex<Ahead?>(nil)

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

    var ordinal: UInt16 { rules.ordinal }

    func locate(_ key: CacheKey) -> (EntryKey, UInt64) {
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

    func save(_ value: Value?, _ entry: EntryKey, _ hash: UInt64, _ stamps: StampSet, if isWanted: () -> Bool) {
        tiers.save(entry, hash, value.map { Payload(value: $0) }, cost: value?.cacheCost ?? 0, stamps, rules, if: isWanted)
    }
}
