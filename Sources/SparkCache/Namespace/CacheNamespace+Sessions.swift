import Synchronization

extension CacheNamespace {
    /// Brings an entry from the disk to memory, if it is there and not in memory.
    /// - Parameter isLoaded: whether what neither tier has is loaded.
    func fetchAhead(_ key: CacheKey, isLoaded: Bool) async {
        let (entry, hash) = locate(key)
        let isOnDisk = tiers.shard(hash).withLock { !$0.expect(entry, hash) && $0.location(hash) != nil }
        // A fault of the disk or a cancellation leaves the entry to whoever asks for it.
        if isOnDisk { _ = try? await readCold(entry, hash) }
        if isLoaded, let ahead = ahead.withLock({ $0 }), !tiers.shard(hash).withLock({ $0.contains(entry, hash) }) {
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
