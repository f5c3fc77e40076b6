/// S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), weighted by bytes.
///
/// New records enter a small queue of a tenth of the budget. A record read there twice or more moves on to the main queue. The
/// others are evicted early, and their hashes are remembered in a ghost list: a record that comes back soon goes straight to the
/// main queue. A record read in the main queue goes round again. A read costs one addition and moves nothing.
struct S3FIFO: EvictionPolicy {
    private var small = IntrusiveQueue()
    private var main = IntrusiveQueue()
    private var demoted = IntrusiveQueue()
    private var ghosts: GhostList
    private let smallBudget: Int
    /// Before the first eviction there is room for all: records that exceed the small queue go to the main queue.
    private var hasEvicted = false

    init(budget: Int) {
        self.smallBudget = budget / 10
        self.ghosts = GhostList(budget: budget)
    }

    var bytes: Int { small.bytes + main.bytes + demoted.bytes }
    var overhead: Int { ghosts.bytes }

    mutating func insert(_ index: Int32, _ records: borrowing RecordSlab) {
        let hasRoom = !hasEvicted && small.bytes >= smallBudget
        if hasRoom || ghosts.take(records[link: index].hash, within: max(main.count, 64)) {
            records[index].queue = .main
            main.append(index, records)
        } else {
            records[index].queue = .small
            small.append(index, records)
        }
    }

    @inline(__always)
    mutating func touch(_ index: Int32, _ records: borrowing RecordSlab) {
        if records[index].frequency < 3 { records[index].frequency += 1 }
    }

    mutating func remove(_ index: Int32, _ records: borrowing RecordSlab) {
        switch records[index].queue {
        case .small: small.remove(index, records)
        case .main: main.remove(index, records)
        case .demoted: demoted.remove(index, records)
        case .free, .pendingSpill: break
        }
    }

    mutating func updateCost(_ index: Int32, before: Int, _ records: borrowing RecordSlab) {
        let difference = Int(records[link: index].cost) - before
        switch records[index].queue {
        case .small: small.updateCost(difference)
        case .main: main.updateCost(difference)
        case .demoted: demoted.updateCost(difference)
        case .free, .pendingSpill: break
        }
    }

    mutating func demote(_ index: Int32, _ records: borrowing RecordSlab) {
        guard records[index].queue == .small || records[index].queue == .main else { return }
        remove(index, records)
        records[index].frequency = 0
        records[index].queue = .demoted
        demoted.append(index, records)
    }

    mutating func evict(_ records: borrowing RecordSlab) -> Int32? {
        hasEvicted = true
        while true {
            if demoted.oldest >= 0 {
                let index = demoted.oldest
                demoted.remove(index, records)
                guard records[index].frequency > 0 else { return index }
                moveToMain(index, records)
            } else if small.oldest >= 0, small.bytes > smallBudget || main.oldest < 0 {
                let index = small.oldest
                small.remove(index, records)
                guard records[index].frequency > 1 else {
                    ghosts.note(records[link: index].hash)
                    return index
                }
                moveToMain(index, records)
            } else if main.oldest >= 0 {
                let index = main.oldest
                main.remove(index, records)
                guard records[index].frequency > 0 else { return index }
                records[index].frequency -= 1
                main.append(index, records)
            } else {
                return nil
            }
        }
    }

    private mutating func moveToMain(_ index: Int32, _ records: borrowing RecordSlab) {
        records[index].frequency = 0
        records[index].queue = .main
        main.append(index, records)
    }
}

/// The hashes of records that left the small queue lately.
///
/// A table in which a new hash overwrites the older one in its place. Each carries the number of its departure, so its age is
/// known without a queue.
struct GhostList {
    /// Empty until the first departure: a cache that is not full needs no memory for it.
    private var table: [UInt64] = []
    private let places: Int
    private var departures: UInt32 = 0

    /// - Parameter budget: bytes of the shard; the table gets one place for each 512.
    init(budget: Int) {
        var places = 256
        while places < budget / 512, places < 1 << 20 { places *= 2 }
        self.places = places
        self.bytes = places * 8
    }

    /// Bytes of memory once a record has left.
    let bytes: Int

    private func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 20) & (places - 1) }
    private func mark(_ hash: UInt64) -> UInt64 { hash & 0xFFFF_FFFF_0000_0000 }

    mutating func note(_ hash: UInt64) {
        if table.isEmpty { table = Array(repeating: 0, count: places) }
        departures &+= 1
        table[place(hash)] = mark(hash) | UInt64(departures)
    }

    /// Forgets the hash.
    /// - Returns: whether it was among the last `count` that left.
    mutating func take(_ hash: UInt64, within count: Int) -> Bool {
        guard !table.isEmpty else { return false }
        let place = place(hash)
        let ghost = table[place]
        guard ghost != 0, ghost >> 32 == hash >> 32 else { return false }
        table[place] = 0
        return Int(departures &- UInt32(truncatingIfNeeded: ghost)) < count
    }
}

/// Decides which record of a shard is evicted when the budget is spent. Called under the shard's lock.
protocol EvictionPolicy {
    /// - Parameter budget: bytes of the shard.
    init(budget: Int)
    /// Bytes of the records in the policy's queues.
    var bytes: Int { get }
    /// Bytes of the policy's own tables, which do not grow.
    var overhead: Int { get }
    /// Adds a record whose cost and hash are set.
    mutating func insert(_ index: Int32, _ records: borrowing RecordSlab)
    /// Notes that a record was read.
    mutating func touch(_ index: Int32, _ records: borrowing RecordSlab)
    /// Removes a record for another reason than eviction.
    mutating func remove(_ index: Int32, _ records: borrowing RecordSlab)
    /// Notes that a record got another value, with another cost.
    mutating func updateCost(_ index: Int32, before: Int, _ records: borrowing RecordSlab)
    /// Notes that a record is not needed soon.
    mutating func demote(_ index: Int32, _ records: borrowing RecordSlab)
    /// Removes and returns the record to evict; nil when there is none.
    mutating func evict(_ records: borrowing RecordSlab) -> Int32?
}
