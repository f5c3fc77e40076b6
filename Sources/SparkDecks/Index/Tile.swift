import CSparkSystem
import SparkCore

/// Up to 128 people of one directed set who are near each other, as columns of what the filters read. People of one cell are
/// adjacent, so that a distance is computed once per cell.
struct Tile: BitwiseCopyable {
    static var capacity: Int { TileColumns.capacity }

    /// A published place, and the position of its first person.
    struct Cell: BitwiseCopyable {
        let latitude: Double
        let longitude: Double
        var start: Int32
    }

    let columns: TileColumns
    private let ownsColumns: Bool
    private(set) var count = 0
    private(set) var cells: GrowingBlock<Cell>
    private var pool: GrowingBlock<InterestCode>
    /// The number of unused entries in the pool.
    private var waste = 0
    /// The number of the directed set of all its people.
    let set: UInt8
    /// The leaf that holds this tile.
    var node: Int32

    init(node: Int32, set: UInt8, cells: Int = 8, interests: Int = 64) {
        self.columns = TileColumns()
        self.ownsColumns = true
        self.node = node
        self.set = set
        self.cells = GrowingBlock(capacity: cells)
        self.pool = GrowingBlock(capacity: interests)
    }

    /// A tile of people in memory that somebody else frees.
    init(
        node: Int32, set: UInt8, borrowing columns: TileColumns, count: Int, cells: UnsafeMutableBufferPointer<Cell>,
        interests: UnsafeMutableBufferPointer<InterestCode>
    ) {
        self.columns = columns
        self.ownsColumns = false
        self.count = count
        self.node = node
        self.set = set
        self.cells = GrowingBlock(borrowing: cells)
        self.pool = GrowingBlock(borrowing: interests)
    }

    func free() {
        if ownsColumns { columns.free() }
        cells.free()
        pool.free()
    }

    var bytes: Int { TileColumns.size + cells.bytes + pool.bytes + MemoryLayout<Tile>.stride }

    @inline(__always)
    func interests(at position: Int) -> UnsafeBufferPointer<InterestCode> {
        UnsafeBufferPointer(start: pool.base + Int(columns.interests[position]), count: Int(columns.interestCounts[position]))
    }

    /// Fetches what a search reads of a person who passed the first filters.
    @inline(__always)
    func prefetch(_ position: Int) {
        spark_prefetch(columns.ids + position)
        spark_prefetch(pool.base + Int(columns.interests[position]))
    }

    func position(of id: Int64) -> Int? {
        let ids = columns.ids
        for position in 0..<count where ids[position] == id { return position }
        return nil
    }

    private func cell(holding position: Int) -> Int {
        var cell = cells.count - 1
        while cell > 0, Int(cells.base[cell].start) > position { cell -= 1 }
        return cell
    }

    func place(at position: Int) -> Cell { cells.base[cell(holding: position)] }

    /// Adds a person. The tile must have room.
    mutating func insert(_ row: PersonRow, interests: UnsafeBufferPointer<InterestCode>) {
        let (latitude, longitude) = (row.latitude, row.longitude)
        var position = count
        if let cell = (0..<cells.count).first(where: {
            cells.base[$0].latitude == latitude && cells.base[$0].longitude == longitude
        }) {
            if cell + 1 < cells.count { position = Int(cells.base[cell + 1].start) }
            for later in (cell + 1)..<max(cell + 1, cells.count) { cells.base[later].start += 1 }
        } else {
            cells.append(Cell(latitude: latitude, longitude: longitude, start: Int32(count)))
        }
        columns.move(from: position, to: position + 1, count: count - position)
        columns.put(row, interests, at: position, interestsStart: pool.count)
        count += 1
        store(interests)
    }

    mutating func remove(at position: Int) {
        let cell = cell(holding: position)
        let end = cell + 1 < cells.count ? Int(cells.base[cell + 1].start) : count
        let isLast = end - Int(cells.base[cell].start) == 1
        for later in (cell + 1)..<max(cell + 1, cells.count) { cells.base[later].start -= 1 }
        if isLast { cells.remove(at: cell) }
        waste += Int(columns.interestCounts[position])
        columns.move(from: position + 1, to: position, count: count - position - 1)
        count -= 1
    }

    /// Replaces the data of a person whose place is unchanged.
    mutating func update(_ row: PersonRow, interests: UnsafeBufferPointer<InterestCode>, at position: Int) {
        waste += Int(columns.interestCounts[position])
        columns.put(row, interests, at: position, interestsStart: pool.count)
        store(interests)
    }

    private mutating func store(_ interests: UnsafeBufferPointer<InterestCode>) {
        for interest in interests { pool.append(interest) }
        if waste > 64, waste > pool.count / 2 { compact() }
    }

    private mutating func compact() {
        var fresh = GrowingBlock<InterestCode>(capacity: pool.count - waste + IndexedPerson.interestLimit)
        for position in 0..<count {
            let start = fresh.count
            for interest in interests(at: position) { fresh.append(interest) }
            columns.interests[position] = UInt16(truncatingIfNeeded: start)
        }
        pool.free()
        pool = fresh
        waste = 0
    }

    /// The exact bounds of the tile's people.
    func bounds() -> Bounds {
        var bounds = Bounds()
        bounds.count = Int32(count)
        for cell in 0..<cells.count {
            bounds.extend(latitude: cells.base[cell].latitude, longitude: cells.base[cell].longitude)
        }
        for position in 0..<count {
            bounds.firstBirth = min(bounds.firstBirth, columns.births[position])
            bounds.lastBirth = max(bounds.lastBirth, columns.births[position])
        }
        for position in 0..<count { bounds.lastActive = max(bounds.lastActive, columns.lastActive[position]) }
        for position in 0..<count {
            let isHard = columns.flags[position] & PersonRow.Flags.distanceHard.rawValue != 0
            bounds.reach = max(bounds.reach, columns.reaches[position])
            bounds.softReach = max(bounds.softReach, isHard ? 0 : columns.reaches[position])
        }
        for position in 0..<count {
            // Soft limits are loosened at later stages, so only the extremes of all limits bound anything.
            bounds.minAge = min(bounds.minAge, columns.minAges[position])
            bounds.maxAge = max(bounds.maxAge, columns.maxAges[position])
        }
        let tally = columns.bestTally(of: count)
        (bounds.giving, bounds.receiving) = (tally.giving, tally.receiving)
        bounds.settle()
        return bounds
    }
}

/// A block of plain values that grows by half. Its owner frees it.
struct GrowingBlock<Element: BitwiseCopyable>: BitwiseCopyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int
    /// False for memory that somebody else frees.
    private var isOwned = true

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        self.base = .allocate(capacity: self.capacity)
    }

    /// A full block in memory that outlives it, until it must grow.
    init(borrowing elements: UnsafeMutableBufferPointer<Element>) {
        // An empty buffer may have no address, and a block without capacity never uses its own.
        self.base = elements.baseAddress ?? UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment).unsafelyUnwrapped
        self.count = elements.count
        self.capacity = elements.count
        self.isOwned = false
    }

    func free() { if isOwned { base.deallocate() } }

    var bytes: Int { capacity * MemoryLayout<Element>.stride }

    mutating func append(_ element: Element) {
        if count == capacity {
            let larger = capacity + max(4, capacity / 2)
            let moved = UnsafeMutablePointer<Element>.allocate(capacity: larger)
            moved.update(from: base, count: count)
            free()
            (base, capacity, isOwned) = (moved, larger, true)
        }
        base[count] = element
        count += 1
    }

    mutating func remove(at position: Int) {
        (base + position).update(from: base + position + 1, count: count - position - 1)
        count -= 1
    }
}
