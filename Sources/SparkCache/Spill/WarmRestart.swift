import Synchronization

/// Recovers what an earlier process left on the disk while requests are served: first the index, then the entries that were
/// hottest when it stopped.
struct WarmRestart: Sendable {
    /// The most entries to load.
    private static let hottestLimit = 100_000

    /// Leaves the processor to the start itself.
    private static let pause = Duration.milliseconds(250)

    let engine: CacheEngine
    let spill: Spill
    let namespaces: [ErasedNamespace]

    /// - Parameter done: called with the result once the index is complete.
    func begin(_ done: @escaping @Sendable (SpillRecovery) -> Void) {
        BlockingWork.run {
            var unindexed: [UInt64] = []
            let recovery = spill.recover { hash, location in
                if !engine.shard(hash).withLock({ $0.recover(hash, location) }) { unindexed.append(hash) }
            }
            // Entries that the index has no room for would not be forgotten when they are written again, so they are forgotten
            // now.
            if !unindexed.isEmpty { spill.noteForgotten(unindexed) }
            for shard in engine.shards.all { shard.withLock { $0.endRecovery() } }
            done(recovery)
            BlockingWork.run(after: Self.pause) { loadHottest() }
        }
    }

    private func loadHottest() {
        let byIdentity = Dictionary(namespaces.map { ($0.policy.identity, $0) }) { first, _ in first }
        for hash in spill.hottest.prefix(Self.hottestLimit) {
            guard engine.spill != nil else { return }
            // The hottest come first, so an entry without room must not push them out.
            guard let location = engine.shard(hash).withLock({ $0.hasRoom ? $0.location(hash) : nil }),
                case .entry(let entry) = spill.read(location, key: nil), entry.hash == hash
            else { continue }
            byIdentity[entry.key.namespace]?.restore(entry, location)
        }
    }
}
