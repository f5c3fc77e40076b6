import SparkCore

/// The form in which a forest is saved: a page of header, then the parts below, each from a page on, then a checksum of all of it.
///
/// | part | element |
/// |---|---|
/// | columns | the block of a tile |
/// | directory | a slot, 8 bytes |
/// | nodes | 4 words: axis and whether it is used; value; identifier; parent and left; then right |
/// | tiles | 2 words: whether it is used, set and node; numbers of people, cells and interests |
/// | cells | those of all tiles, in the order of the tiles |
/// | interests | the same |
///
/// Bounds are not saved, because they follow from the rest. Nothing of people who have left a tile is saved either: unused places
/// are zeros. The columns, the directory, the cells and the interests are used where they are: mapped into memory, a page takes
/// memory of its own only once it changes.
enum SavedForm {
    /// Increase it when the same person would be stored with another meaning and `layout` does not show it.
    private static let version: UInt64 = 1
    static let page = 4_096
    /// "SPRKDECK".
    static let magic: UInt64 = 0x4B43_4544_4B52_5053
    static let tokenBytes = 16
    static let nodeWords = 5
    static let tileWords = 2

    /// Differs between programs that store people differently: the checksum of a saved person.
    static let layout: UInt64 = {
        var forest = TileForest()
        // On the globe, so there is one.
        guard let place = Coordinate(latitude: 12.5, longitude: -34.25) else { return version }
        let preferences = Preferences(
            interestedIn: GenderSet(rawValue: 2), minAge: 27, maxAge: 61, maxDistanceKilometres: 1_234, isAgeHard: true,
            isDistanceHard: false)
        let counts = DailyCounts(
            day: 20_001, tallyBefore: SwipeTally(giving: 1, receiving: 2), tally: SwipeTally(giving: 3, receiving: 4),
            shownBefore: 5,
            shown: 6)
        let row = PersonRow(
            id: UserID(rawValue: 0x0123_4567_89AB_CDEF), birth: BirthDay(daysSinceEpoch: 11_016), gender: .woman,
            preferences: preferences, isIncognito: true, hidesDistance: false, lastActive: EpochSecond(rawValue: 1_234_567_890),
            place: place, version: 77, counts: counts)
        forest.set(IndexedPerson(row: row, interests: [InterestCode("chess"), InterestCode("sailing")]))
        var sum = SavedChecksum()
        let header = SavedHeader(of: forest, layout: version, token: [UInt8](repeating: 0, count: tokenBytes))
        // The closure throws nothing.
        try? SavedForestWriter.write(forest, header) { sum.add($0) }
        return sum.value
    }()
}

/// The first page of a saved forest.
struct SavedHeader {
    private static let fixedWords = 13
    let layout: UInt64
    let token: [UInt8]
    let people: Int
    let usedTiles: Int
    let nodes: Int
    let tiles: Int
    let slots: Int
    let cells: Int
    let interests: Int
    let roots: [Int32]

    init(of forest: borrowing TileForest, layout: UInt64, token: [UInt8]) {
        precondition(token.count == SavedForm.tokenBytes, "the token of a saved index has 16 bytes")
        self.layout = layout
        self.token = token
        people = forest.directory.count
        nodes = forest.nodes.highest
        tiles = forest.tiles.highest
        slots = forest.directory.rawSlots.count
        roots = forest.roots
        var (used, cells, interests) = (0, 0, 0)
        for number in 0..<tiles where forest.tiles.isUsed(number) {
            used += 1
            cells += forest.tiles[number].cells.count
            for position in 0..<forest.tiles[number].count {
                interests += Int(forest.tiles[number].columns.interestCounts[position])
            }
        }
        (self.usedTiles, self.cells, self.interests) = (used, cells, interests)
    }

    /// - Returns: nil for a page of something else.
    init?(_ page: UnsafeRawBufferPointer) {
        let words = page.bindMemory(to: UInt64.self)
        guard page.count == SavedForm.page, words[0] == SavedForm.magic else { return nil }
        layout = words[1]
        token = Array(page[16..<(16 + SavedForm.tokenBytes)])
        let numbers = words[4..<11].map { Int(truncatingIfNeeded: $0) }
        // Far more than any machine holds, and small enough that no product below overflows.
        guard numbers.allSatisfy({ (0..<(1 << 40)).contains($0) }), words[11] == UInt64(DirectedSet.count) else { return nil }
        (people, usedTiles, nodes, tiles) = (numbers[0], numbers[1], numbers[2], numbers[3])
        (slots, cells, interests) = (numbers[4], numbers[5], numbers[6])
        roots = (0..<DirectedSet.count).map { Int32(truncatingIfNeeded: words[Self.fixedWords + $0]) }
    }

    var words: [UInt64] {
        let tokenWords = (0..<2).map { half in
            token[(half * 8)..<(half * 8 + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        let numbers = [people, usedTiles, nodes, tiles, slots, cells, interests, DirectedSet.count, 0].map { UInt64($0) }
        return [SavedForm.magic, layout] + tokenWords + numbers + roots.map { UInt64(UInt32(bitPattern: $0)) }
    }

    /// The first byte of each part, and after the last one the end of them all.
    var offsets: [Int] {
        let lengths = [
            SavedForm.page, usedTiles * TileColumns.size, slots * 8, nodes * SavedForm.nodeWords * 8,
            tiles * SavedForm.tileWords * 8,
            cells * MemoryLayout<Tile.Cell>.stride, interests * MemoryLayout<InterestCode>.stride,
        ]
        return lengths.reduce(into: [0]) { offsets, length in
            let page = SavedForm.page
            offsets.append((offsets.last ?? 0) + (length + page - 1) / page * page)
        }
    }
}

/// The checksum of a saved forest: four lanes of 64 bits, so that a processor adds several words at once. One changed word always
/// changes it.
struct SavedChecksum {
    /// The parts that are added are multiples of this.
    static let grain = 32
    private var lanes: (UInt64, UInt64, UInt64, UInt64) = (
        0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB, 0xD6E8_FEB8_6659_FD93
    )

    @inline(__always)
    private static func mix(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        let product = (lane ^ word) &* 0x9FB2_1C65_1E98_DF25
        // Rotated, because a product moves changes only upwards.
        return product << 31 | product >> 33
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        let words = bytes.bindMemory(to: UInt64.self)
        var (a, b, c, d) = lanes
        for position in stride(from: 0, to: words.count & ~3, by: 4) {
            a = Self.mix(a, words[position])
            b = Self.mix(b, words[position + 1])
            c = Self.mix(c, words[position + 2])
            d = Self.mix(d, words[position + 3])
        }
        lanes = (a, b, c, d)
    }

    var value: UInt64 { [lanes.1, lanes.2, lanes.3].reduce(Self.mix(lanes.0, 1)) { Self.mix($0, $1) } }
}

/// A saved forest in memory.
struct SavedForest {
    private let bytes: UnsafeMutableRawBufferPointer
    private let header: SavedHeader

    /// - Returns: nil unless the bytes are whole, of this layout and saved under the token.
    init?(_ bytes: UnsafeMutableRawBufferPointer, token: [UInt8]) {
        guard bytes.count > SavedForm.page,
            let header = SavedHeader(UnsafeRawBufferPointer(rebasing: bytes[..<SavedForm.page])),
            header.layout == SavedForm.layout, header.token == token, header.slots > 0,
            let end = header.offsets.last, bytes.count == end + 8
        else { return nil }
        var sum = SavedChecksum()
        sum.add(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        guard sum.value == bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self) else { return nil }
        self.bytes = bytes
        self.header = header
    }

    private func part<Element>(_ number: Int, _ count: Int, of type: Element.Type) -> UnsafeMutableBufferPointer<Element> {
        let start = header.offsets[number]
        let slice = bytes[start..<(start + count * MemoryLayout<Element>.stride)]
        return UnsafeMutableRawBufferPointer(rebasing: slice).bindMemory(to: type)
    }

    /// The forest, which uses the bytes from now on.
    func forest(keeping memory: AnyObject) -> TileForest {
        TileForest(
            nodes: Slab(nodes), tiles: Slab(tiles),
            directory: PersonDirectory(borrowing: part(2, header.slots, of: UInt64.self), count: header.people),
            roots: header.roots, memory: memory)
    }

    private var nodes: [TileNode?] {
        let words = part(3, header.nodes * SavedForm.nodeWords, of: UInt64.self)
        return (0..<header.nodes).map { number in
            let start = number * SavedForm.nodeWords
            guard words[start] >> 8 != 0, let axis = Split.Axis(rawValue: UInt8(truncatingIfNeeded: words[start])) else {
                return nil
            }
            var node = TileNode(parent: Int32(truncatingIfNeeded: words[start + 3]))
            node.split = Split(
                axis: axis, value: Double(bitPattern: words[start + 1]), identifier: Int64(bitPattern: words[start + 2]))
            node.left = Int32(truncatingIfNeeded: words[start + 3] >> 32)
            node.right = Int32(truncatingIfNeeded: words[start + 4])
            return node
        }
    }

    private var tiles: [Tile?] {
        let words = part(4, header.tiles * SavedForm.tileWords, of: UInt64.self)
        var columns = part(1, header.usedTiles * TileColumns.size, of: UInt8.self)[...]
        var cells = part(5, header.cells, of: Tile.Cell.self)[...]
        var interests = part(6, header.interests, of: InterestCode.self)[...]
        func take<Element>(_ count: Int, of rest: inout Slice<UnsafeMutableBufferPointer<Element>>)
            -> UnsafeMutableBufferPointer<Element>
        {
            defer { rest = rest.dropFirst(count) }
            return UnsafeMutableBufferPointer(rebasing: rest.prefix(count))
        }
        return (0..<header.tiles).map { number in
            let (first, second) = (words[number * SavedForm.tileWords], words[number * SavedForm.tileWords + 1])
            guard first & 1 != 0, let base = take(TileColumns.size, of: &columns).baseAddress else { return nil }
            return Tile(
                node: Int32(truncatingIfNeeded: first >> 32), set: UInt8(truncatingIfNeeded: first >> 8),
                borrowing: TileColumns(borrowing: base), count: Int(second & 0xFFFF),
                cells: take(Int(second >> 16 & 0xFFFF), of: &cells),
                interests: take(Int(second >> 32), of: &interests))
        }
    }
}
