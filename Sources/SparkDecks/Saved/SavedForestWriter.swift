/// Writes a forest in the form of `SavedForm`, some hundred kilobytes at a time.
struct SavedForestWriter {
    private static let portion = 262_144
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private var waiting: [UInt8] = []
    private var written = 0
    private var sum = SavedChecksum()

    static func write(
        _ forest: borrowing TileForest, _ header: SavedHeader, to sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try withoutActuallyEscaping(sink) { sink in
            var writer = SavedForestWriter(sink)
            try writer.add(words: header.words)
            try writer.endPart()
            try writer.addColumns(forest)
            try writer.endPart()
            try writer.add(UnsafeRawBufferPointer(forest.directory.rawSlots))
            try writer.endPart()
            try writer.addNodes(forest)
            try writer.endPart()
            try writer.addTiles(forest)
            try writer.endPart()
            try writer.addCells(forest)
            try writer.endPart()
            try writer.addInterests(forest)
            try writer.endPart()
            try writer.finish()
        }
    }

    private init(_ sink: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        self.sink = sink
        waiting.reserveCapacity(Self.portion + SavedForm.page)
    }

    private mutating func addColumns(_ forest: borrowing TileForest) throws {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: TileColumns.size, alignment: 64)
        defer { scratch.deallocate() }
        guard let base = scratch.baseAddress else { return }
        let columns = TileColumns(borrowing: base)
        for number in 0..<forest.tiles.highest where forest.tiles.isUsed(number) {
            let tile = forest.tiles[number]
            scratch.initializeMemory(as: UInt8.self, repeating: 0)
            columns.copy(from: tile.columns, count: tile.count)
            // The pool is saved without gaps.
            var start = 0
            for position in 0..<tile.count {
                columns.interests[position] = UInt16(truncatingIfNeeded: start)
                start += Int(columns.interestCounts[position])
            }
            try add(UnsafeRawBufferPointer(scratch))
        }
    }

    private mutating func addNodes(_ forest: borrowing TileForest) throws {
        for number in 0..<forest.nodes.highest {
            guard forest.nodes.isUsed(number) else {
                try add(words: [UInt64](repeating: 0, count: SavedForm.nodeWords))
                continue
            }
            let node = forest.nodes[number]
            try add(words: [
                UInt64(node.split.axis.rawValue) | 1 << 8, node.split.value.bitPattern, UInt64(bitPattern: node.split.identifier),
                UInt64(UInt32(bitPattern: node.parent)) | UInt64(UInt32(bitPattern: node.left)) << 32,
                UInt64(UInt32(bitPattern: node.right)),
            ])
        }
    }

    private mutating func addTiles(_ forest: borrowing TileForest) throws {
        for number in 0..<forest.tiles.highest {
            guard forest.tiles.isUsed(number) else {
                try add(words: [UInt64](repeating: 0, count: SavedForm.tileWords))
                continue
            }
            let tile = forest.tiles[number]
            var interests = 0
            for position in 0..<tile.count { interests += Int(tile.columns.interestCounts[position]) }
            try add(words: [
                1 | UInt64(tile.set) << 8 | UInt64(UInt32(bitPattern: tile.node)) << 32,
                UInt64(tile.count) | UInt64(tile.cells.count) << 16 | UInt64(interests) << 32,
            ])
        }
    }

    private mutating func addCells(_ forest: borrowing TileForest) throws {
        let stride = MemoryLayout<Tile.Cell>.stride
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Tile.capacity * stride, alignment: 8)
        defer { scratch.deallocate() }
        // Zero, because an element does not fill its place.
        scratch.initializeMemory(as: UInt8.self, repeating: 0)
        for number in 0..<forest.tiles.highest where forest.tiles.isUsed(number) {
            let cells = forest.tiles[number].cells
            for cell in 0..<cells.count {
                scratch.storeBytes(of: cells.base[cell], toByteOffset: cell * stride, as: Tile.Cell.self)
            }
            try add(UnsafeRawBufferPointer(rebasing: scratch[..<(cells.count * stride)]))
        }
    }

    private mutating func addInterests(_ forest: borrowing TileForest) throws {
        for number in 0..<forest.tiles.highest where forest.tiles.isUsed(number) {
            let tile = forest.tiles[number]
            for position in 0..<tile.count { try add(UnsafeRawBufferPointer(tile.interests(at: position))) }
        }
    }

    private mutating func add(words: [UInt64]) throws { try words.withUnsafeBytes { try add($0) } }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) throws {
        waiting.append(contentsOf: bytes)
        if waiting.count >= Self.portion { try pass() }
    }

    /// Fills the page with zeros.
    private mutating func endPart() throws {
        let beyond = (written + waiting.count) % SavedForm.page
        if beyond > 0 { waiting.append(contentsOf: repeatElement(0, count: SavedForm.page - beyond)) }
        try pass()
    }

    /// Passes on what waits, except for the rest of a grain.
    private mutating func pass() throws {
        let count = waiting.count / SavedChecksum.grain * SavedChecksum.grain
        var sum = sum
        try waiting.withUnsafeBytes { bytes in
            let whole = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            sum.add(whole)
            try sink(whole)
        }
        self.sum = sum
        waiting.removeFirst(count)
        written += count
    }

    private func finish() throws { try withUnsafeBytes(of: sum.value) { try sink($0) } }
}
