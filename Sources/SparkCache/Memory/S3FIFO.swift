/// S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), weighted by bytes.
///
/// A small queue of a tenth of the budget takes newcomers; who is read there twice or more moves on to the main queue, the rest
/// leave early and are remembered by their hash, so that one who comes back goes straight to the main queue. A record read in
/// the main queue goes round again. A read costs an addition, never a move.
struct S3FIFO: EvictionPolicy {
    private var small = RecordQueueList()
    private var main = RecordQueueList()
    private var leaving = RecordQueueList()
    private var ghosts: GhostList
    private let smallBudget: Int
    /// Before the first eviction there is room for everybody: newcomers whom the small queue has no room for fill the main one.
    private var hasEvicted = false

    init(budget: Int) {
        self.smallBudget = budget / 10
        self.ghosts = GhostList(budget: budget)
    }

    var bytes: Int { small.bytes + main.bytes + leaving.bytes }
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
        case .leaving: leaving.remove(index, records)
        case .free, .outgoing: break
        }
    }

    mutating func weigh(_ index: Int32, before: Int, _ records: borrowing RecordSlab) {
        let difference = Int(records[link: index].cost) - before
        switch records[index].queue {
        case .small: small.weigh(difference)
        case .main: main.weigh(difference)
        case .leaving: leaving.weigh(difference)
        case .free, .outgoing: break
        }
    }

    mutating func demote(_ index: Int32, _ records: borrowing RecordSlab) {
        guard records[index].queue == .small || records[index].queue == .main else { return }
        remove(index, records)
        records[index].frequency = 0
        records[index].queue = .leaving
        leaving.append(index, records)
    }

    mutating func evict(_ records: borrowing RecordSlab) -> Int32? {
        hasEvicted = true
        while true {
            if leaving.oldest >= 0 {
                let index = leaving.oldest
                leaving.remove(index, records)
                guard records[index].frequency > 0 else { return index }
                settle(index, records)
            } else if small.oldest >= 0, small.bytes > smallBudget || main.oldest < 0 {
                let index = small.oldest
                small.remove(index, records)
                guard records[index].frequency > 1 else {
                    ghosts.note(records[link: index].hash)
                    return index
                }
                settle(index, records)
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

    private mutating func settle(_ index: Int32, _ records: borrowing RecordSlab) {
        records[index].frequency = 0
        records[index].queue = .main
        main.append(index, records)
    }
}
