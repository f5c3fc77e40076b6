import CSparkSystem

/// All people of the index: one tree per directed set, whose leaves are tiles.
///
/// Inner nodes split by latitude, longitude or day of birth, or by identifier if all of these are equal. So any number of people
/// can be at one place. The bounds of a node are exact after every change; a change visits one tile and the path above it. Not
/// thread-safe: `DeckIndex` holds the lock.
struct TileForest: ~Copyable {
    private(set) var nodes = Slab<TileNode>()
    private(set) var tiles = Slab<Tile>()
    private(set) var directory = PersonDirectory()
    private(set) var journal = ChangeJournal()
    private(set) var roots = [Int32](repeating: -1, count: DirectedSet.count)
    /// Keeps the memory of a loaded forest.
    private let memory: AnyObject?

    /// An empty forest.
    init() { memory = nil }

    /// A forest of parts in memory that an object keeps. The bounds of its nodes are computed here.
    init(nodes: Slab<TileNode>, tiles: Slab<Tile>, directory: PersonDirectory, roots: [Int32], memory: AnyObject) {
        self.memory = memory
        self.directory.deallocate()
        self.nodes.deallocate()
        self.tiles.deallocate()
        (self.nodes, self.tiles, self.directory, self.roots) = (nodes, tiles, directory, roots)
        for root in roots where root >= 0 { settle(Int(root)) }
    }

    /// People per tile after a build, which leaves room for more.
    private static let fill = 112

    deinit {
        for number in 0..<tiles.highest where tiles.isUsed(number) { tiles[number].free() }
        tiles.deallocate()
        nodes.deallocate()
        directory.deallocate()
    }

    var count: Int { directory.count }

    /// The memory in bytes.
    var bytes: Int {
        var sum = nodes.bytes + directory.bytes + tiles.bytes
        for number in 0..<tiles.highest where tiles.isUsed(number) { sum += tiles[number].bytes }
        return sum
    }

    // MARK: Changing

    /// Adds a person or replaces the person's data.
    mutating func set(_ person: IndexedPerson) {
        let row = person.row
        journal.note(row.id)
        person.interests.withUnsafeBufferPointer { interests in
            if let (tile, position) = find(row.id) {
                let place = tiles[tile].place(at: position)
                if tiles[tile].set == row.set, place.latitude == row.latitude, place.longitude == row.longitude,
                    tiles[tile].columns.births[position] == row.birth.rawValue
                {
                    tiles[tile].update(row, interests: interests, at: position)
                    return refresh(tiles[tile].node)
                }
                takeOut(row.id, tile, position)
            }
            insert(row, interests: interests)
        }
    }

    mutating func remove(_ id: Int64) {
        guard let (tile, position) = find(id) else { return }
        journal.note(id)
        takeOut(id, tile, position)
    }

    private mutating func takeOut(_ id: Int64, _ tile: Int, _ position: Int) {
        directory.remove(id, tile: tile)
        tiles[tile].remove(at: position)
        let node = tiles[tile].node
        refresh(node)
        merge(at: nodes[Int(node)].parent)
    }

    mutating func touch(_ id: Int64, lastActive: EpochSecond) {
        guard let (tile, position) = find(id) else { return }
        journal.note(id)
        tiles[tile].columns.lastActive[position] = lastActive.rawValue
        refresh(tiles[tile].node)
    }

    mutating func count(_ id: Int64, _ counts: DailyCounts) {
        guard let (tile, position) = find(id) else { return }
        journal.note(id)
        let columns = tiles[tile].columns
        let before = columns.counts(at: position)
        columns.put(counts, at: position)
        // How often a person was shown affects no bound.
        if before.tally != counts.tally || before.tallyBefore != counts.tallyBefore { refresh(tiles[tile].node) }
    }

    func person(_ id: Int64) -> IndexedPerson? {
        find(id).map { tile, position in
            IndexedPerson(
                row: PersonRow(tiles[tile], at: position, set: tiles[tile].set),
                interests: Array(tiles[tile].interests(at: position)))
        }
    }

    /// Visits everybody, in no order.
    func forEach(_ body: (IndexedPerson) -> Void) {
        for tile in 0..<tiles.highest where tiles.isUsed(tile) {
            for position in 0..<tiles[tile].count {
                body(
                    IndexedPerson(
                        row: PersonRow(tiles[tile], at: position, set: tiles[tile].set),
                        interests: Array(tiles[tile].interests(at: position))))
            }
        }
    }

    // MARK: The trees

    /// The tile of a person, and the position in it.
    func find(_ id: Int64) -> (tile: Int, position: Int)? {
        var place = 0
        let tile = directory.find(id) { tile in
            guard let position = tiles[tile].position(of: id) else { return false }
            place = position
            return true
        }
        return tile.map { ($0, place) }
    }

    /// Fetches what a visit of a node reads first: its tile, or the nodes below.
    @inline(__always)
    func prefetchBelow(_ node: Int32) {
        let pointer = nodes.pointer(to: Int(node))
        if pointer.pointee.isLeaf {
            spark_prefetch(tiles.pointer(to: Int(pointer.pointee.left)))
        } else {
            spark_prefetch(nodes.pointer(to: Int(pointer.pointee.left)))
            spark_prefetch(nodes.pointer(to: Int(pointer.pointee.right)))
        }
    }

    /// Fetches the columns of a leaf's people.
    @inline(__always)
    func prefetchPeople(of node: Int32) {
        let pointer = nodes.pointer(to: Int(node))
        if pointer.pointee.isLeaf { tiles.pointer(to: Int(pointer.pointee.left)).pointee.columns.prefetch() }
    }

    private mutating func insert(_ row: PersonRow, interests: UnsafeBufferPointer<InterestCode>) {
        if roots[Int(row.set)] < 0 { roots[Int(row.set)] = plant(Tile(node: -1, set: row.set), parent: -1) }
        var node = Int(roots[Int(row.set)])
        while true {
            while !nodes[node].isLeaf { node = Int(nodes[node].split.isLow(row) ? nodes[node].left : nodes[node].right) }
            if tiles[Int(nodes[node].left)].count < Tile.capacity { break }
            split(node)
        }
        let tile = Int(nodes[node].left)
        tiles[tile].insert(row, interests: interests)
        directory.insert(row.id, tile: tile)
        refresh(Int32(node))
    }

    /// Makes a new leaf with a tile.
    private mutating func plant(_ tile: Tile, parent: Int32) -> Int32 {
        let node = Int32(nodes.take(TileNode(parent: parent)))
        let number = tiles.take(tile)
        tiles[number].node = node
        nodes[Int(node)].left = Int32(number)
        nodes[Int(node)].bounds = tiles[number].bounds()
        for position in 0..<tiles[number].count { directory.insert(tiles[number].columns.ids[position], tile: number) }
        return node
    }

    /// Turns a full leaf into an inner node.
    private mutating func split(_ node: Int) {
        var people = PersonBatch()
        let set = takeUp(node, into: &people)
        grow(people, set: set, at: Int32(node), fill: Tile.capacity / 2)
    }

    /// Removes all people from a leaf, and frees its tile.
    private mutating func takeUp(_ leaf: Int, into people: inout PersonBatch) -> UInt8 {
        let number = Int(nodes[leaf].left)
        let tile = tiles[number]
        for position in 0..<tile.count {
            people.append(PersonRow(tile, at: position, set: tile.set), interests: tile.interests(at: position))
            directory.remove(tile.columns.ids[position], tile: number)
        }
        tile.free()
        tiles.give(number)
        return tile.set
    }

    /// Merges two small sibling leaves into one, so that a tree shrinks as it grew.
    private mutating func merge(at node: Int32) {
        guard node >= 0, !nodes[Int(node)].isLeaf else { return }
        let (left, right) = (Int(nodes[Int(node)].left), Int(nodes[Int(node)].right))
        guard nodes[left].isLeaf, nodes[right].isLeaf, nodes[Int(node)].bounds.count <= Int32(Tile.capacity / 3) else { return }
        var people = PersonBatch()
        let set = takeUp(left, into: &people)
        _ = takeUp(right, into: &people)
        nodes.give(left)
        nodes.give(right)
        journal.interrupt()
        grow(people, set: set, at: node, fill: Tile.capacity)
        merge(at: nodes[Int(node)].parent)
    }

    /// Recomputes the bounds of a leaf, and those above it while they change.
    private func refresh(_ leaf: Int32) {
        var bounds = tiles[Int(nodes[Int(leaf)].left)].bounds()
        var node = Int(leaf)
        while nodes[node].bounds != bounds {
            nodes[node].bounds = bounds
            guard nodes[node].parent >= 0 else { return }
            node = Int(nodes[node].parent)
            bounds = union(of: node)
        }
    }

    /// Computes the bounds of a subtree.
    private func settle(_ node: Int) {
        guard !nodes[node].isLeaf else { return nodes[node].bounds = tiles[Int(nodes[node].left)].bounds() }
        settle(Int(nodes[node].left))
        settle(Int(nodes[node].right))
        nodes[node].bounds = union(of: node)
    }

    private func union(of node: Int) -> Bounds {
        var bounds = nodes[Int(nodes[node].left)].bounds
        bounds.merge(nodes[Int(nodes[node].right)].bounds)
        return bounds
    }

    // MARK: Building

    /// Fills an empty forest.
    mutating func build(_ people: PersonBatch) {
        journal.interrupt()
        directory.reserve(people.rows.count)
        var bySet = [[UInt32]](repeating: [], count: DirectedSet.count)
        for (number, row) in people.rows.enumerated() { bySet[Int(row.set)].append(UInt32(truncatingIfNeeded: number)) }
        for set in bySet.indices where !bySet[set].isEmpty {
            let root = Int32(nodes.take(TileNode(parent: -1)))
            roots[set] = root
            bySet[set].withUnsafeMutableBufferPointer { grow(people, $0, set: UInt8(set), at: root, fill: Self.fill) }
        }
    }

    private mutating func grow(_ people: PersonBatch, set: UInt8, at node: Int32, fill: Int) {
        var order = Array(0..<UInt32(people.rows.count))
        order.withUnsafeMutableBufferPointer { grow(people, $0, set: set, at: node, fill: fill) }
    }

    /// Builds a subtree for some people at a node.
    private mutating func grow(
        _ people: PersonBatch, _ order: UnsafeMutableBufferPointer<UInt32>, set: UInt8, at node: Int32, fill: Int
    ) {
        guard order.count > fill else { return fillLeaf(people, order, set: set, at: Int(node)) }
        let tilesNeeded = (order.count + fill - 1) / fill
        let (split, low) = Split.divide(order, people.rows, middle: (tilesNeeded + 1) / 2 * fill)
        let (left, right) = (Int32(nodes.take(TileNode(parent: node))), Int32(nodes.take(TileNode(parent: node))))
        nodes[Int(node)].split = split
        nodes[Int(node)].left = left
        nodes[Int(node)].right = right
        grow(people, UnsafeMutableBufferPointer(rebasing: order[..<low]), set: set, at: left, fill: fill)
        grow(people, UnsafeMutableBufferPointer(rebasing: order[low...]), set: set, at: right, fill: fill)
        nodes[Int(node)].bounds = union(of: Int(node))
    }

    private mutating func fillLeaf(
        _ people: PersonBatch, _ order: UnsafeMutableBufferPointer<UInt32>, set: UInt8, at node: Int
    ) {
        // Sorted by place, so that people of one cell are adjacent and each insertion appends at the end.
        var order = order
        order.sort {
            (people.rows[Int($0)].latitude, people.rows[Int($0)].longitude) < (
                people.rows[Int($1)].latitude, people.rows[Int($1)].longitude
            )
        }
        var (cells, interests) = (1, 0)
        for (place, number) in order.enumerated() {
            let row = people.rows[Int(number)]
            interests += Int(row.interestCount)
            if place > 0 {
                let last = people.rows[Int(order[place - 1])]
                if last.latitude != row.latitude || last.longitude != row.longitude { cells += 1 }
            }
        }
        let number = tiles.take(Tile(node: Int32(node), set: set, cells: cells, interests: interests))
        for person in order {
            people.withInterests(of: Int(person)) { tiles[number].insert(people.rows[Int(person)], interests: $0) }
            directory.insert(people.rows[Int(person)].id, tile: number)
        }
        nodes[node].left = Int32(number)
        nodes[node].right = -1
        nodes[node].bounds = tiles[number].bounds()
    }
}

/// A node of a tree: an inner node with two subtrees, or a leaf with one tile.
struct TileNode: BitwiseCopyable {
    var bounds = Bounds()
    var split = Split(axis: .latitude, value: 0, identifier: 0)
    var parent: Int32
    /// For a leaf, the number of its tile.
    var left: Int32 = -1
    var right: Int32 = -1

    init(parent: Int32) { self.parent = parent }

    var isLeaf: Bool { right < 0 }
}
