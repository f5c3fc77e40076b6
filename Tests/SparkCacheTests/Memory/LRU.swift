/// Least recently used, weighted by bytes: a second policy for the tests that every policy must pass.
struct LRU: EvictionPolicy {
    private var queue = IntrusiveQueue()

    init(budget: Int) {}

    var bytes: Int { queue.bytes }
    var overhead: Int { 0 }

    mutating func insert(_ index: Int32, _ records: borrowing RecordSlab) {
        records[index].queue = .main
        queue.append(index, records)
    }

    mutating func touch(_ index: Int32, _ records: borrowing RecordSlab) {
        queue.remove(index, records)
        queue.append(index, records)
    }

    mutating func remove(_ index: Int32, _ records: borrowing RecordSlab) { queue.remove(index, records) }

    mutating func updateCost(_ index: Int32, before: Int, _ records: borrowing RecordSlab) {
        queue.updateCost(Int(records[link: index].cost) - before)
    }

    mutating func demote(_ index: Int32, _ records: borrowing RecordSlab) {}

    mutating func evict(_ records: borrowing RecordSlab) -> Int32? {
        guard queue.oldest >= 0 else { return nil }
        let index = queue.oldest
        queue.remove(index, records)
        return index
    }
}
