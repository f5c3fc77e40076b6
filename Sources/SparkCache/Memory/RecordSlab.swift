import CSparkSystem

/// The records of a shard, in two growing blocks side by side, with a free list.
struct RecordSlab: ~Copyable {
    // What every operation needs comes first; see `ShardTable`.
    private var base: UnsafeMutablePointer<Record>
    private var links: UnsafeMutablePointer<RecordLink>
    private(set) var capacity: Int
    private(set) var count = 0
    /// Places from here on were never used.
    private(set) var highest = 0
    private var firstFree: Int32 = -1

    /// Bytes of memory.
    var bytes: Int { capacity * Self.recordBytes }
    /// Bytes that the next record would add.
    var growth: Int { firstFree < 0 && highest == capacity ? capacity / 2 * Self.recordBytes : 0 }

    private static let recordBytes = MemoryLayout<Record>.stride + MemoryLayout<RecordLink>.stride

    init(capacity: Int = 64) {
        self.capacity = capacity
        self.base = Self.allocate(capacity)
        self.links = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<highest where base[index].queue != .free { base[index].object?.release() }
        Self.deallocate(base)
        links.deallocate()
    }

    /// Aligned to a line of the processor's cache, so that each record is one line.
    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Record> {
        UnsafeMutableRawPointer.allocate(byteCount: capacity * MemoryLayout<Record>.stride, alignment: 64)
            .bindMemory(to: Record.self, capacity: capacity)
    }

    private static func deallocate(_ block: UnsafeMutablePointer<Record>) { UnsafeMutableRawPointer(block).deallocate() }

    subscript(index: Int32) -> Record {
        @inline(__always) get { base[Int(index)] }
        @inline(__always) nonmutating _modify { yield &base[Int(index)] }
    }

    subscript(link index: Int32) -> RecordLink {
        @inline(__always) get { links[Int(index)] }
        @inline(__always) nonmutating _modify { yield &links[Int(index)] }
    }

    /// Fetches the payload's reference count, which a read will raise.
    @inline(__always)
    func prefetchObject(_ index: Int32) { spark_prefetch_to_write(base[Int(index)].object?.toOpaque()) }

    @inline(__always)
    func prefetchLink(_ index: Int32) { spark_prefetch_to_write(links + Int(index)) }

    /// Returns a free place. The caller fills it and puts it in a queue.
    mutating func acquire() -> Int32 {
        count += 1
        if firstFree >= 0 {
            let index = firstFree
            firstFree = links[Int(index)].next
            return index
        }
        if highest == capacity { grow() }
        (base + highest).initialize(to: Record())
        (links + highest).initialize(to: RecordLink())
        highest += 1
        return Int32(highest - 1)
    }

    private mutating func grow() {
        let larger = capacity + capacity / 2
        let moved = Self.allocate(larger)
        moved.moveInitialize(from: base, count: highest)
        Self.deallocate(base)
        base = moved
        let movedLinks = UnsafeMutablePointer<RecordLink>.allocate(capacity: larger)
        movedLinks.moveInitialize(from: links, count: highest)
        links.deallocate()
        links = movedLinks
        capacity = larger
    }

    mutating func release(_ index: Int32) {
        count -= 1
        base[Int(index)].object?.release()
        base[Int(index)] = Record()
        let generation = links[Int(index)].generation
        links[Int(index)] = RecordLink(next: firstFree, generation: generation &+ 1)
        firstFree = index
    }
}

/// A queue of records, linked through the records themselves.
struct IntrusiveQueue {
    private(set) var newest: Int32 = -1
    private(set) var oldest: Int32 = -1
    private(set) var bytes = 0
    private(set) var count = 0

    mutating func append(_ index: Int32, _ records: borrowing RecordSlab) {
        records[link: index].next = -1
        records[link: index].previous = newest
        if newest >= 0 { records[link: newest].next = index } else { oldest = index }
        newest = index
        bytes += Int(records[link: index].cost)
        count += 1
    }

    /// Adds the change of one record's cost.
    mutating func updateCost(_ difference: Int) { bytes += difference }

    mutating func remove(_ index: Int32, _ records: borrowing RecordSlab) {
        let (next, previous) = (records[link: index].next, records[link: index].previous)
        if previous >= 0 { records[link: previous].next = next } else { oldest = next }
        if next >= 0 { records[link: next].previous = previous } else { newest = previous }
        bytes -= Int(records[link: index].cost)
        count -= 1
    }
}
