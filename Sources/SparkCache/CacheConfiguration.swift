public import Crypto
public import Foundation

/// How large a cache may be, and where it spills.
public struct CacheConfiguration: Sendable {
    /// Memory for entries, their records and tables included.
    public var memoryBytes: Int
    /// Entries in memory at most.
    public var entries = Int.max
    /// Rounded down to a power of two; no shard is smaller than 512 KiB.
    public var shards = 64
    /// Loads from the origin at the same time.
    public var concurrentLoads = 256
    /// Loads that may wait for their turn; beyond them a load is refused.
    public var waitingLoads = 8_192
    /// None: what memory evicts is gone.
    public var spill: SpillSettings?

    public init(memoryBytes: Int) { self.memoryBytes = memoryBytes }

    /// The disk tier.
    public struct SpillSettings: Sendable {
        /// A directory of its own.
        public var directory: URL
        /// Bytes on the disk at most.
        public var bytes: Int
        /// Seals every record. From a key store if the spill is to outlive the process, else of this start.
        public var key: SymmetricKey
        /// Whether the next process takes the spill up again.
        public var isWarm: Bool
        /// Names the state of the origin that the entries were read from; a spill of another one is discarded.
        public var fingerprint: String
        /// The seam at which tests let the disk fail.
        var files: any SpillFiles = POSIXFiles()

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

    /// One counter for each 128 bytes of memory and each 2 KiB of disk, 64 Ki at least: some 3–6 % of the budget of memory, and part of
    /// it. With fewer, tags that share a counter would make too many entries old.
    var stampCount: Int {
        let wanted = min(memoryBytes / 128 + (spill?.bytes ?? 0) / 2_048, memoryBytes / 64)
        var count = 1 << 16
        while count < wanted, count < 1 << 24 { count *= 2 }
        return count
    }
}
