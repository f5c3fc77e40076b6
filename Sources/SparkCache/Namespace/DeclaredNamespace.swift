/// What the cache knows of a namespace without its types.
struct DeclaredNamespace: Sendable {
    let policy: NamespacePolicy
    var encode: @Sendable (Payload) -> [UInt8] = { _ in [] }
    var revive: @Sendable (SpilledEntry, SpillLocation) -> Void = { _, _ in }
    var fetchAhead: @Sendable (_ key: CacheKey, _ isLoaded: Bool) async -> Void = { _, _ in }
    var demote: @Sendable (CacheKey) -> Void = { _ in }
    var flushIfDue: @Sendable () -> Void = {}
    var flushAll: @Sendable () async -> Int = { 0 }
    var unflushed: @Sendable () -> (waiting: Int, failures: Int) = { (0, 0) }
}
