import CSparkSystem

/// The people of one tile as columns, in one block.
struct TileColumns: BitwiseCopyable {
    static let capacity = 128
    /// The bytes of a block.
    static let size = 36 * capacity

    private let base: UnsafeMutableRawPointer

    init() { base = .allocate(byteCount: Self.size, alignment: 64) }

    /// Columns in memory of `size` bytes that somebody else frees.
    init(borrowing base: UnsafeMutableRawPointer) { self.base = base }

    func free() { base.deallocate() }

    @inline(__always)
    private func column<Element>(_ offset: Int, _ type: Element.Type) -> UnsafeMutablePointer<Element> {
        (base + offset * Self.capacity).assumingMemoryBound(to: Element.self)
    }

    var ids: UnsafeMutablePointer<Int64> { column(0, Int64.self) }
    /// In seconds since 1970.
    var lastActive: UnsafeMutablePointer<UInt32> { column(8, UInt32.self) }
    var versions: UnsafeMutablePointer<UInt32> { column(12, UInt32.self) }
    var births: UnsafeMutablePointer<UInt16> { column(16, UInt16.self) }
    /// In kilometres.
    var reaches: UnsafeMutablePointer<UInt16> { column(18, UInt16.self) }
    /// The day of `DailyCounts`.
    private var countDays: UnsafeMutablePointer<UInt16> { column(20, UInt16.self) }
    /// The index of each person's first interest in the tile's pool.
    var interests: UnsafeMutablePointer<UInt16> { column(22, UInt16.self) }
    var minAges: UnsafeMutablePointer<UInt8> { column(24, UInt8.self) }
    var maxAges: UnsafeMutablePointer<UInt8> { column(25, UInt8.self) }
    var flags: UnsafeMutablePointer<UInt8> { column(26, UInt8.self) }
    var interestCounts: UnsafeMutablePointer<UInt8> { column(27, UInt8.self) }
    /// The four bytes of `DailyCounts` together. A score needs two of them; the day decides which.
    private var counts: UnsafeMutablePointer<UInt32> { column(28, UInt32.self) }

    /// The bits of each person's interests.
    var interestMasks: UnsafeMutablePointer<UInt32> { column(32, UInt32.self) }

    /// Fetches the columns that a search reads of everybody: all but the first and the counts.
    @inline(__always)
    func prefetch() {
        func fetch(_ offset: Int, bytes: Int) {
            for line in 0..<(bytes * Self.capacity / 64) { spark_prefetch(base + offset * Self.capacity + line * 64) }
        }
        fetch(8, bytes: 4)
        fetch(16, bytes: 4)
        fetch(22, bytes: 2)
        fetch(24, bytes: 3)
        fetch(32, bytes: 4)
    }

    @inline(__always)
    func counts(at position: Int) -> DailyCounts { DailyCounts(day: countDays[position], packed: counts[position]) }

    /// The highest levels in the tallies of the first `count` people. Either tally of a person may apply, because no event
    /// announces a new day.
    func bestTally(of count: Int) -> SwipeTally {
        let counts = counts
        var (giving, receiving): (UInt32, UInt32) = (0, 0)
        for position in 0..<count {
            let (now, before) = (counts[position], counts[position] >> 8)
            giving = max(giving, now & 0x70, before & 0x70)
            receiving = max(receiving, now & 0x07, before & 0x07)
        }
        return SwipeTally(rawValue: UInt8(truncatingIfNeeded: giving | receiving))
    }

    func put(_ counts: DailyCounts, at position: Int) {
        countDays[position] = counts.day
        self.counts[position] = counts.packed
    }

    /// Moves `count` people from position `source` to `target`, to make or close a gap.
    func move(from source: Int, to target: Int, count: Int) {
        func shift<Element>(_ column: UnsafeMutablePointer<Element>) {
            (column + target).update(from: column + source, count: count)
        }
        shift(ids)
        shift(lastActive)
        shift(versions)
        shift(births)
        shift(reaches)
        shift(countDays)
        shift(interests)
        shift(minAges)
        shift(maxAges)
        shift(flags)
        shift(interestCounts)
        shift(counts)
        shift(interestMasks)
    }

    /// Copies the first `count` people of another tile.
    func copy(from other: TileColumns, count: Int) {
        func copy<Element>(_ column: UnsafeMutablePointer<Element>, _ source: UnsafeMutablePointer<Element>) {
            column.update(from: source, count: count)
        }
        copy(ids, other.ids)
        copy(lastActive, other.lastActive)
        copy(versions, other.versions)
        copy(births, other.births)
        copy(reaches, other.reaches)
        copy(countDays, other.countDays)
        copy(interests, other.interests)
        copy(minAges, other.minAges)
        copy(maxAges, other.maxAges)
        copy(flags, other.flags)
        copy(interestCounts, other.interestCounts)
        copy(counts, other.counts)
        copy(interestMasks, other.interestMasks)
    }

    func put(_ row: PersonRow, _ codes: UnsafeBufferPointer<InterestCode>, at position: Int, interestsStart: Int) {
        ids[position] = row.id
        lastActive[position] = row.lastActive.rawValue
        versions[position] = row.version
        births[position] = row.birth.rawValue
        reaches[position] = row.reach
        interests[position] = UInt16(truncatingIfNeeded: interestsStart)
        minAges[position] = row.minAge
        maxAges[position] = row.maxAge
        flags[position] = row.flags.rawValue
        interestCounts[position] = row.interestCount
        interestMasks[position] = codes.reduce(0) { $0 | $1.bit }
        put(row.counts, at: position)
    }
}
