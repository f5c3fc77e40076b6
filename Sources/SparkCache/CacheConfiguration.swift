public import Crypto
public import Foundation

/// The size of a cache, and where it spills.
public struct CacheConfiguration: Sendable {
    /// Bytes of memory for entries with their records and tables. 0 caches nothing.
    public var memoryBytes: Int
    /// The most entries in memory.
    public var entries = Int.max
    /// Locks that the entries are spread over. Rounded down to a power of two; no shard is smaller than 512 KiB.
    public var shards = 64
    /// Loads from the origin at the same time.
    public var concurrentLoads = 256
    /// Loads that may wait for a place among them. Further loads are refused with `CacheError.overloaded`.
    public var waitingLoads = 8_192
    /// The disk tier; nil: evicted entries are lost.
    public var spill: SpillSettings?

    /// A memory-only cache.
    public init(memoryBytes: Int) { self.memoryBytes = memoryBytes }

    /// The disk tier.
    public struct SpillSettings: Sendable {
        /// A directory that only the spill uses; created when it is missing.
        public var directory: URL
        /// Bytes on the disk at most.
        public var bytes: Int
        /// Encrypts every record. Take it from a key store if the spill is to outlive the process, else make a new one for each start.
        public var key: SymmetricKey
        /// Whether the next process may use the entries.
        public var isWarm: Bool
        /// Names the origin that the entries were read from. A spill of another origin is discarded.
        public var fingerprint: String
        /// Tests replace it to let the disk fail.
        var files: any SpillFiles = POSIXFiles()

        /// All settings of the disk tier; none has a default.
        public init(directory: URL, bytes: Int, key: SymmetricKey, isWarm: Bool, fingerprint: String) {
            self.directory = directory
            self.bytes = bytes
            self.key = key
            self.isWarm = isWarm
            self.fingerprint = fingerprint
        }
    }

    var shardCount: Int {
        var count = 1
        while count * 2 <= shards, memoryBytes / (count * 2) >= 512 * 1_024 { count *= 2 }
        return count
    }

    /// One stamp for each 128 bytes of memory and each 2 KiB of disk, at least 65,536: some 3 to 6 % of the memory budget, which they
    /// are part of. With fewer, tags that share a stamp would invalidate too many entries.
    var stampCount: Int {
        let wanted = min(memoryBytes / 128 + (spill?.bytes ?? 0) / 2_048, memoryBytes / 64)
        var count = 1 << 16
        while count < wanted, count < 1 << 24 { count *= 2 }
        return count
    }
}
