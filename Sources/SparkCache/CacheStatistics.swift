/// What a cache did since it was opened, and what it holds.
public struct CacheStatistics: Sendable {
    /// One namespace's requests and what became of them.
    public struct Namespace: Sendable {
        public let name: String
        /// By layer (`l1`, `disk`, `origin`) and result.
        public let requests: [Request]
        public let stored: Int
        public let evicted: Int
        /// Evicted entries that the disk did not take.
        public let spillDropped: Int
        public let tooLarge: Int
        public let swept: Int
        /// Values written behind that the origin does not have yet.
        public let unflushed: Int
        /// Times that the origin did not take them.
        public let flushFailures: Int

        /// The answer came from memory or from the disk, fresh or within its grace.
        public var hits: Int { requests.filter { $0.isHit }.reduce(0) { $0 + $1.count } }
        /// The answer came from the origin, or the origin failed.
        public var misses: Int {
            requests.filter { $0.layer == "origin" }.reduce(0) { $0 + $1.count }
        }
    }

    public struct Request: Sendable {
        public let layer: String
        public let result: String
        public let count: Int
        var isHit: Bool { layer != "origin" && (result == "hit" || result == "stale") }
    }

    public let namespaces: [Namespace]
    /// Bytes of memory in use: payloads, records, tables, stamps, index of the spill.
    public let memoryBytes: Int
    public let memoryBudget: Int
    public let entries: Int
    public let spilledEntries: Int
    /// Part of `memoryBytes`.
    public let spillIndexBytes: Int
    public let spill: Spill?
    /// What was found at the start; nil until it is known.
    public let recovered: Recovery?

    public struct Recovery: Sendable {
        public let entries: Int
        public let indexedSegments: Int
        public let scannedSegments: Int
        public let unsoundBytes: Int
    }

    public struct Spill: Sendable {
        public let entriesWritten: Int
        public let rawBytesWritten: Int
        public let bytesWritten: Int
        public let entriesDropped: Int
        public let reads: Int
        public let hits: Int
        public let coldReads: Int
        public let unsound: Int
        public let readFailures: Int
        public let writeFailures: Int
        public let segmentsReclaimed: Int
        public let bytesOnDisk: Int
        /// The tier is off because it kept failing.
        public let isOff: Bool
    }

    init(
        namespaces: [(name: String, unflushed: (waiting: Int, failures: Int))],
        totals: (tallies: [Int], bytes: Int, entries: Int, spilledEntries: Int, spillIndexBytes: Int),
        spill: SpillCounters?, recovery: SpillRecovery?, budget: Int
    ) {
        self.namespaces = namespaces.enumerated().map { ordinal, namespace in
            func count(_ tally: Tally) -> Int { totals.tallies[ordinal * TallyTable.width + tally.rawValue] }
            let requests: [(String, String, Tally)] = [
                ("l1", "hit", .memoryHit), ("l1", "stale", .memoryStale), ("l1", "miss", .memoryMiss),
                ("l1", "expired", .memoryExpired), ("l1", "invalidated", .memoryInvalidated), ("disk", "hit", .diskHit),
                ("disk", "miss", .diskMiss), ("disk", "invalidated", .diskInvalidated), ("origin", "loaded", .originLoad),
                ("origin", "absent", .originAbsent), ("origin", "error", .originError), ("origin", "shared", .originShared),
                ("origin", "refused", .originRefused),
            ]
            return Namespace(
                name: namespace.name, requests: requests.map { Request(layer: $0, result: $1, count: count($2)) },
                stored: count(.stored), evicted: count(.evicted), spillDropped: count(.spillDropped),
                tooLarge: count(.tooLarge), swept: count(.swept),
                unflushed: namespace.unflushed.waiting, flushFailures: namespace.unflushed.failures)
        }
        self.memoryBytes = totals.bytes
        self.memoryBudget = budget
        self.entries = totals.entries
        self.spilledEntries = totals.spilledEntries
        self.spillIndexBytes = totals.spillIndexBytes
        self.recovered = recovery.map {
            Recovery(
                entries: $0.entries, indexedSegments: $0.indexedSegments, scannedSegments: $0.scannedSegments,
                unsoundBytes: $0.unsoundBytes)
        }
        self.spill = spill.map {
            Spill(
                entriesWritten: $0.entriesWritten, rawBytesWritten: $0.rawBytesWritten, bytesWritten: $0.diskBytesWritten,
                entriesDropped: $0.entriesDropped, reads: $0.reads, hits: $0.hits, coldReads: $0.coldReads,
                unsound: $0.unsound, readFailures: $0.readFailures, writeFailures: $0.writeFailures,
                segmentsReclaimed: $0.segmentsReclaimed, bytesOnDisk: $0.bytesOnDisk, isOff: $0.isOff)
        }
    }
}
