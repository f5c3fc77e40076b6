/// Decides which record of a shard goes when the budget is spent. The shard's lock is held throughout.
protocol EvictionPolicy {
    /// - Parameter budget: of the shard, in bytes.
    init(budget: Int)
    /// Bytes of the records that the policy holds.
    var bytes: Int { get }
    /// Bytes of its own tables, which do not grow.
    var overhead: Int { get }
    /// A record came in; its cost and hash are set.
    mutating func insert(_ index: Int32, _ records: borrowing RecordSlab)
    /// A record was read.
    mutating func touch(_ index: Int32, _ records: borrowing RecordSlab)
    /// A record goes for another reason than eviction.
    mutating func remove(_ index: Int32, _ records: borrowing RecordSlab)
    /// A record was given another value, and so another cost.
    mutating func weigh(_ index: Int32, before: Int, _ records: borrowing RecordSlab)
    /// A record will not be needed soon.
    mutating func demote(_ index: Int32, _ records: borrowing RecordSlab)
    /// Takes out the record that goes next; nil when there is none.
    mutating func evict(_ records: borrowing RecordSlab) -> Int32?
}
