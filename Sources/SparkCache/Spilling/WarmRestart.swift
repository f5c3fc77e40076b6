import Synchronization

/// Takes up what an earlier process left on the disk, behind the serving of requests: first the index, then the entries that were
/// read most when it ended.
struct WarmRestart: Sendable {
    /// Of the hottest entries, so many at most.
    private static let hottestLimit = 100_000

    /// The start itself wants the processor first.
    private static let pause = Duration.milliseconds(250)

    let tiers: Tiers
    let spill: Spill
    let namespaces: [DeclaredNamespace]

    /// - Parameter done: told what was found, once the index stands.
    func begin(_ done: @escaping @Sendable (SpillRecovery) -> Void) {
        BlockingWork.run {
            var unlisted: [UInt64] = []
            let recovery = spill.recover { hash, location in
                if !tiers.shard(hash).withLock({ $0.recover(hash, location) }) { unlisted.append(hash) }
            }
            // What the index has no room for nobody will forget when it is written anew: so that is done now.
            if !unlisted.isEmpty { spill.noteForgotten(unlisted) }
            for shard in tiers.shards.all { shard.withLock { $0.endRecovery() } }
            done(recovery)
            BlockingWork.run(after: Self.pause) { loadHottest() }
        }
    }

    private func loadHottest() {
        let byIdentity = Dictionary(namespaces.map { ($0.policy.identity, $0) }) { first, _ in first }
        for hash in spill.hottest.prefix(Self.hottestLimit) {
            guard tiers.spill != nil else { return }
            // The hottest come first: what has no room must not push them out.
            guard let location = tiers.shard(hash).withLock({ $0.hasRoom ? $0.location(hash) : nil }),
                case .entry(let entry) = spill.read(location, key: nil), entry.hash == hash
            else { continue }
            byIdentity[entry.key.namespace]?.revive(entry, location)
        }
    }
}
