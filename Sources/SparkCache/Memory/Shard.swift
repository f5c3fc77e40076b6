import Synchronization

/// The shards of a cache: each one lock, and what it protects.
///
/// They stand in plain memory and are reached through pointers, because a reference that all threads count up and down on the way
/// of every read costs more than the read.
final class ShardArray {
    private let base: UnsafeMutablePointer<Mutex<ShardTable<S3FIFO>>>
    let count: Int
    private let shift: UInt64

    /// - Parameter count: a power of two.
    init(count: Int, limits: ShardLimits, namespaces: Int) {
        self.count = count
        self.shift = UInt64(64 - count.trailingZeroBitCount)
        self.base = .allocate(capacity: count)
        for index in 0..<count { (base + index).initialize(to: Mutex(ShardTable(limits: limits, namespaces: namespaces))) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    /// A view of the shards, for those who keep the array.
    var view: Shards { Shards(base: base, count: count, shift: shift) }
}

// The pointer never changes, and each table stands behind its lock.
extension ShardArray: @unchecked Sendable {}

/// All shards, without a reference count.
struct Shards: @unchecked Sendable {  // as the array
    fileprivate let base: UnsafeMutablePointer<Mutex<ShardTable<S3FIFO>>>
    let count: Int
    fileprivate let shift: UInt64

    /// The shard that a key's hash falls to: its top bits say.
    @inline(__always)
    subscript(hash hash: UInt64) -> Shard { Shard(pointer: base + Int(truncatingIfNeeded: hash >> shift)) }

    var all: [Shard] { (0..<count).map { Shard(pointer: base + $0) } }
}

/// One shard, without a reference count.
struct Shard: @unchecked Sendable {  // as the array
    fileprivate let pointer: UnsafeMutablePointer<Mutex<ShardTable<S3FIFO>>>

    @inline(__always)
    func withLock<Result: Sendable>(_ body: (inout ShardTable<S3FIFO>) -> Result) -> Result {
        pointer.pointee.withLock { table in body(&table) }
    }
}
