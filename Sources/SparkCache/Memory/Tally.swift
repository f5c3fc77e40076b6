/// What the cache counts of each namespace.
enum Tally: Int, CaseIterable {
    case memoryHit, memoryMiss, memoryExpired, memoryInvalidated, memoryStale
    case diskHit, diskMiss, diskInvalidated
    case originLoad, originAbsent, originError, originShared, originRefused
    case stored, evicted, spillDropped, tooLarge, swept
}

/// Counts by namespace, kept by each shard under its lock.
struct TallyTable: ~Copyable {
    static let width = Tally.allCases.count
    private var counts: UnsafeMutablePointer<Int>
    let namespaces: Int

    init(namespaces: Int) {
        self.namespaces = namespaces
        self.counts = .allocate(capacity: namespaces * Self.width)
        counts.initialize(repeating: 0, count: namespaces * Self.width)
    }

    deinit { counts.deallocate() }

    @inline(__always)
    mutating func add(_ tally: Tally, _ ordinal: UInt16, _ amount: Int = 1) {
        counts[Self.place(tally, ordinal)] &+= amount
    }

    @inline(__always)
    static func place(_ tally: Tally, _ ordinal: UInt16) -> Int { Int(ordinal) &* width &+ tally.rawValue }

    var address: UnsafeRawPointer { UnsafeRawPointer(counts) }

    /// Adds everything to a list of the same shape.
    func sum(into totals: inout [Int]) {
        for index in 0..<min(totals.count, namespaces * Self.width) { totals[index] &+= counts[index] }
    }
}
