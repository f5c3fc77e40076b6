extension Cache {
    /// Takes stamps of tags now, for an entry that is put later.
    public func dependencies(on tags: [CacheTag]) -> Dependencies { Dependencies(tiers.stamps, tags) }

    /// Makes everything old that depends on one of the tags, in both tiers, before it returns.
    /// - Parameter isAnnounced: whether `announce` was called for it.
    public func invalidate(_ tags: [CacheTag], isAnnounced: Bool = false) {
        let stamps = tags.map(tiers.stamps.invalidate)
        if !isAnnounced { note(stamps) }
    }

    /// Makes sure that an invalidation that is about to happen is not forgotten if the process dies: to be called before the commit
    /// that the tags belong to, followed by one `invalidate` after it. Costs one write to a file when the spill is warm, else nothing.
    public func announce(_ tags: [CacheTag]) { note(tags.map(tiers.stamps.stamp)) }

    /// The spill's log counts invalidations, so each is noted once.
    private func note(_ stamps: [Stamp]) {
        guard configuration.spill?.isWarm == true else { return }
        tiers.spill?.noteInvalidations(stamps)
    }

    /// Makes everything old that depends on one of the tags, and overwrites it on the disk. Blocks on the disk.
    public func erase(_ tags: [CacheTag]) async {
        invalidate(tags)
        guard let spill = tiers.spill else { return }
        // What is on its way to the disk arrives before the disk is searched; what sets out now is refused as old.
        await drainSpill()
        let slots = Set(tags.map { tiers.stamps.stamp(of: $0).slot })
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            BlockingWork.run {
                spill.erase(slots: slots)
                continuation.resume()
            }
        }
    }
}
