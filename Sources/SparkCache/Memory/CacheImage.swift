/// The entries that a cache had in memory at one moment, with the slots of their tags. Holds the values, which never change.
package struct CacheImage: Sendable {
    fileprivate let shards: [[KeptEntry]]

    /// The number of entries.
    package var count: Int { shards.reduce(0) { $0 + $1.count } }
}

/// An entry of an image.
struct KeptEntry: @unchecked Sendable {  // every field is constant, also the shared payload
    let key: EntryKey
    let ordinal: UInt16
    let hash: UInt64
    let expiresAt: Int64
    let graceMilliseconds: UInt32
    let cost: UInt32
    let slots: [UInt32]
    /// Nil: there is no such thing.
    let payload: Payload?
    let traits: Record.Traits

    init(_ record: Record, hash: UInt64, cost: UInt32) {
        self.key = record.key
        self.ordinal = record.ordinal
        self.hash = hash
        self.expiresAt = record.expiresAt
        self.graceMilliseconds = record.graceMilliseconds
        self.cost = cost
        self.slots = record.stamps.map(\.slot)
        self.payload = record.payload
        self.traits = record.traits
    }
}

extension Cache {
    /// The entries in memory that are current. Entries in the spill are not part of it.
    ///
    /// Takes each shard's lock once, for about a tenth of a microsecond per entry. The origin must not change meanwhile.
    package func capture() -> CacheImage {
        CacheImage(shards: engine.shards.all.map { shard in shard.withLock { $0.current(stamps: engine.stamps.view) } })
    }

    /// Replaces all entries by those of an image. Call it when the origin has been put back to the state that it had at the time of
    /// the image, before anybody reads the cache.
    ///
    /// Loads in progress finish, but do not store what they read. The entries depend on their tags as if they had just been loaded.
    package func restore(_ image: CacheImage) {
        engine.loads.supersedeAll()
        for shard in engine.shards.all { shard.withLock { $0.removeAll() } }
        for entry in image.shards.joined() { engine.keep(entry) }
    }
}
