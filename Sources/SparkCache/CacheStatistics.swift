/// The counts of a cache since its creation, and its current content. All counts start at zero with the process.
public struct CacheStatistics: Sendable {
    /// The counts of one namespace.
    public struct Namespace: Sendable {
        /// See `NamespacePolicy.name`.
        public let name: String
        /// Requests by layer and result.
        public let requests: [Request]
        /// Entries stored in memory by a put or a load.
        public let stored: Int
        /// Entries that were evicted from memory.
        public let evicted: Int
        /// Evicted entries that the disk did not accept.
        public let spillDropped: Int
        /// Values refused because they exceed the policy's size or have more than 15 tags.
        public let tooLarge: Int
        /// Expired or stale entries that a sweep removed.
        public let swept: Int

        /// Requests answered from memory or from the disk, fresh or stale.
        public var hits: Int { requests.filter { $0.isHit }.reduce(0) { $0 + $1.count } }
        /// Requests that went to the origin, whatever it answered.
        public var misses: Int {
            requests.filter { $0.layer == "origin" }.reduce(0) { $0 + $1.count }
        }
    }

    /// How often one layer gave one result.
    public struct Request: Sendable {
        /// `l1` (memory), `disk` or `origin`.
        public let layer: String
        /// `l1`: `hit`, `stale`, `miss`, `expired`, `invalidated`. `disk`: `hit`, `miss`, `invalidated`. `origin`: `loaded`, `absent`,
        /// `error`, `shared` (waited for another load), `refused`.
        public let result: String
        /// Requests.
        public let count: Int
        fileprivate var isHit: Bool { layer != "origin" && (result == "hit" || result == "stale") }
    }

    /// One for each namespace, in the order of declaration.
    public let namespaces: [Namespace]
    /// Bytes of memory in use: payloads, records, tables, stamps and the index of the spill.
    public let memoryBytes: Int
    /// Bytes of memory that the cache may use.
    public let memoryBudget: Int
    /// Entries in memory.
    public let entries: Int
    /// Entries in the index of the spill.
    public let spilledEntries: Int
    /// Bytes of the spill's index; part of `memoryBytes`.
    public let spillIndexBytes: Int
    /// Nil when there is no spill.
    public let spill: Spill?
    /// What a warm restart recovered; nil until it is done, and without one.
    public let recovered: Recovery?

    /// What a warm restart found on the disk.
    public struct Recovery: Sendable {
        /// Entries that were recovered.
        public let entries: Int
        /// Segments whose footer was read.
        public let indexedSegments: Int
        /// Segments without an intact footer, which were read as a whole.
        public let scannedSegments: Int
        /// Bytes skipped in search of the next intact record.
        public let corruptBytes: Int
    }

    /// The counts of the disk tier.
    public struct Spill: Sendable {
        /// Entries written.
        public let entriesWritten: Int
        /// Bytes of these entries' values before compression.
        public let rawBytesWritten: Int
        /// Bytes written to segments, with headers and footers.
        public let bytesWritten: Int
        /// Entries not written: too large, tier off, or the write failed.
        public let entriesDropped: Int
        /// Reads of an entry.
        public let reads: Int
        /// Reads that returned the entry.
        public let hits: Int
        /// Reads that would have had to wait for the disk, and were repeated on a thread that may.
        public let coldReads: Int
        /// Records and files that were not what was written.
        public let corrupt: Int
        /// Reads that failed.
        public let readFailures: Int
        /// Writes and removals that failed.
        public let writeFailures: Int
        /// Segments removed to keep to the budget.
        public let segmentsReclaimed: Int
        /// Bytes of all files.
        public let bytesOnDisk: Int
        /// Whether the tier is off because it kept failing, or because its directory cannot be used.
        public let isOff: Bool
    }

    init(
        namespaces: [String],
        totals: (counters: [Int], bytes: Int, entries: Int, spilledEntries: Int, spillIndexBytes: Int),
        spill: SpillCounters?, recovery: SpillRecovery?, budget: Int
    ) {
        self.namespaces = namespaces.enumerated().map { ordinal, name in
            func count(_ counter: CacheCounter) -> Int { totals.counters[ordinal * CounterTable.width + counter.rawValue] }
            let requests: [(String, String, CacheCounter)] = [
                ("l1", "hit", .memoryHit), ("l1", "stale", .memoryStale), ("l1", "miss", .memoryMiss),
                ("l1", "expired", .memoryExpired), ("l1", "invalidated", .memoryInvalidated), ("disk", "hit", .diskHit),
                ("disk", "miss", .diskMiss), ("disk", "invalidated", .diskInvalidated), ("origin", "loaded", .originLoad),
                ("origin", "absent", .originAbsent), ("origin", "error", .originError), ("origin", "shared", .originShared),
                ("origin", "refused", .originRefused),
            ]
            return Namespace(
                name: name, requests: requests.map { Request(layer: $0, result: $1, count: count($2)) },
                stored: count(.stored), evicted: count(.evicted), spillDropped: count(.spillDropped),
                tooLarge: count(.tooLarge), swept: count(.swept))
        }
        self.memoryBytes = totals.bytes
        self.memoryBudget = budget
        self.entries = totals.entries
        self.spilledEntries = totals.spilledEntries
        self.spillIndexBytes = totals.spillIndexBytes
        self.recovered = recovery.map {
            Recovery(
                entries: $0.entries, indexedSegments: $0.indexedSegments, scannedSegments: $0.scannedSegments,
                corruptBytes: $0.corruptBytes)
        }
        self.spill = spill.map {
            Spill(
                entriesWritten: $0.entriesWritten, rawBytesWritten: $0.rawBytesWritten, bytesWritten: $0.diskBytesWritten,
                entriesDropped: $0.entriesDropped, reads: $0.reads, hits: $0.hits, coldReads: $0.coldReads,
                corrupt: $0.corrupt, readFailures: $0.readFailures, writeFailures: $0.writeFailures,
                segmentsReclaimed: $0.segmentsReclaimed, bytesOnDisk: $0.bytesOnDisk, isOff: $0.isOff)
        }
    }
}

/// What the cache counts for each namespace.
enum CacheCounter: Int, CaseIterable {
    case memoryHit, memoryMiss, memoryExpired, memoryInvalidated, memoryStale
    case diskHit, diskMiss, diskInvalidated
    case originLoad, originAbsent, originError, originShared, originRefused
    case stored, evicted, spillDropped, tooLarge, swept
}

/// The counts of all namespaces in one shard, under the shard's lock.
struct CounterTable: ~Copyable {
    static let width = CacheCounter.allCases.count
    private var counts: UnsafeMutablePointer<Int>
    private let namespaces: Int

    init(namespaces: Int) {
        self.namespaces = namespaces
        self.counts = .allocate(capacity: namespaces * Self.width)
        counts.initialize(repeating: 0, count: namespaces * Self.width)
    }

    deinit { counts.deallocate() }

    @inline(__always)
    mutating func add(_ counter: CacheCounter, _ ordinal: UInt16, _ amount: Int = 1) {
        counts[Self.place(counter, ordinal)] &+= amount
    }

    @inline(__always)
    static func place(_ counter: CacheCounter, _ ordinal: UInt16) -> Int { Int(ordinal) &* width &+ counter.rawValue }

    var address: UnsafeRawPointer { UnsafeRawPointer(counts) }

    /// Adds all counts to a list with the same layout.
    func sum(into totals: inout [Int]) {
        for index in 0..<min(totals.count, namespaces * Self.width) { totals[index] &+= counts[index] }
    }
}
