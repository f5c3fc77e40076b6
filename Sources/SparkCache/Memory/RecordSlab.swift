/// The records of a shard: one growing block, with the free places in a list.
struct RecordSlab: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Record>
    private(set) var capacity: Int
    private(set) var count = 0
    /// Places below this were in use once.
    private(set) var highest = 0
    private var firstFree: Int32 = -1

    /// Bytes that it takes.
    var bytes: Int { capacity * MemoryLayout<Record>.stride }

    init(capacity: Int = 64) {
        self.capacity = capacity
        self.base = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<highest where base[index].queue != .free { base[index].payload?.release() }
        base.deallocate()
    }

    subscript(index: Int32) -> Record {
        @inline(__always) get { base[Int(index)] }
        @inline(__always) nonmutating _modify { yield &base[Int(index)] }
    }

    /// A place for a record; the caller fills it and gives it a queue.
    mutating func take() -> Int32 {
        count += 1
        if firstFree >= 0 {
            let index = firstFree
            firstFree = base[Int(index)].next
            return index
        }
        if highest == capacity {
            let larger = capacity + capacity / 2
            let moved = UnsafeMutablePointer<Record>.allocate(capacity: larger)
            moved.moveInitialize(from: base, count: highest)
            base.deallocate()
            base = moved
            capacity = larger
        }
        (base + highest).initialize(to: Record())
        highest += 1
        return Int32(highest - 1)
    }

    mutating func give(_ index: Int32) {
        count -= 1
        let generation = base[Int(index)].generation
        base[Int(index)].payload?.release()
        base[Int(index)] = Record()
        base[Int(index)].generation = generation &+ 1
        base[Int(index)].next = firstFree
        firstFree = index
    }
}

/// A queue of records, linked through the records themselves.
struct RecordQueueList {
    private(set) var newest: Int32 = -1
    private(set) var oldest: Int32 = -1
    private(set) var bytes = 0
    private(set) var count = 0

    mutating func append(_ index: Int32, _ records: borrowing RecordSlab) {
        records[index].next = -1
        records[index].previous = newest
        if newest >= 0 { records[newest].next = index } else { oldest = index }
        newest = index
        bytes += Int(records[index].cost)
        count += 1
    }

    /// One of its records weighs so much more now.
    mutating func weigh(_ difference: Int) { bytes += difference }

    mutating func remove(_ index: Int32, _ records: borrowing RecordSlab) {
        let (next, previous) = (records[index].next, records[index].previous)
        if previous >= 0 { records[previous].next = next } else { oldest = next }
        if next >= 0 { records[next].previous = previous } else { newest = previous }
        bytes -= Int(records[index].cost)
        count -= 1
    }
}
