import CSparkSystem
import Synchronization

/// The shards of a cache. Each is a lock and the table it protects.
///
/// They are in plain memory and reached through pointers, because a reference that all threads count up and down on every read
/// costs more than the read. Each is aligned to 128 bytes, so that threads on neighbouring shards do not share a line of the
/// processor's cache.
final class ShardArray {
    private let base: UnsafeMutableRawPointer
    private let hints: UnsafeMutablePointer<ShardHint>
    let count: Int
    private let shift: UInt64

    /// - Parameter count: a power of two.
    init(count: Int, limits: ShardLimits, namespaces: Int) {
        self.count = count
        self.shift = UInt64(64 - count.trailingZeroBitCount)
        self.base = .allocate(byteCount: count * Shard.stride, alignment: 128)
        self.hints = .allocate(capacity: count)
        for index in 0..<count {
            (hints + index).initialize(to: ShardHint())
            let table = ShardTable<S3FIFO>(limits: limits, namespaces: namespaces, hint: hints + index)
            Shard.pointer(base, index).initialize(to: Mutex(table))
        }
    }

    deinit {
        for index in 0..<count { Shard.pointer(base, index).deinitialize(count: 1) }
        base.deallocate()
        hints.deinitialize(count: count)
        hints.deallocate()
    }

    /// A view of the shards; the caller keeps the array alive.
    var view: Shards { Shards(base: base, hints: hints, count: count, shift: shift) }
}

// The pointers never change, and each table is behind its lock.
extension ShardArray: @unchecked Sendable {}

/// All shards, without a reference count.
struct Shards: @unchecked Sendable {  // the pointers never change, and each table is behind its lock
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate let hints: UnsafeMutablePointer<ShardHint>
    let count: Int
    fileprivate let shift: UInt64

    /// The shard of a key, by the top bits of its hash.
    @inline(__always)
    subscript(hash hash: UInt64) -> Shard { self[Int(truncatingIfNeeded: hash >> shift)] }

    @inline(__always)
    private subscript(index: Int) -> Shard { Shard(pointer: Shard.pointer(base, index), hint: hints + index) }

    var all: [Shard] { (0..<count).map { self[$0] } }
}

/// One shard, without a reference count.
struct Shard: @unchecked Sendable {  // the pointers never change, and the table is behind its lock
    fileprivate let pointer: UnsafeMutablePointer<Mutex<ShardTable<S3FIFO>>>
    fileprivate let hint: UnsafeMutablePointer<ShardHint>

    fileprivate static let stride = (MemoryLayout<Mutex<ShardTable<S3FIFO>>>.stride + 127) & ~127

    @inline(__always)
    fileprivate static func pointer(_ base: UnsafeMutableRawPointer, _ index: Int) -> UnsafeMutablePointer<
        Mutex<ShardTable<S3FIFO>>
    > {
        (base + index * stride).assumingMemoryBound(to: Mutex<ShardTable<S3FIFO>>.self)
    }

    @inline(__always)
    func withLock<Result: Sendable>(_ body: (inout ShardTable<S3FIFO>) -> Result) -> Result {
        pointer.pointee.withLock { table in body(&table) }
    }

    /// Fetches the memory that an operation on this key begins with, before the lock is taken.
    @inline(__always)
    func prefetch(_ hash: UInt64, counting counter: CacheCounter, _ ordinal: UInt16) {
        spark_prefetch_to_write(pointer)
        hint.pointee.prefetch(hash, counter, ordinal)
    }
}

/// The addresses of a shard's tables, readable without its lock. They may be out of date, so they are used for prefetching alone.
struct ShardHint: ~Copyable {
    /// The address of the slots. They are aligned, so the low bits are free and hold the binary logarithm of their number.
    private let slots = Atomic<UInt>(0)
    private let counters = Atomic<UInt>(0)

    func setSlots(_ address: UnsafeRawPointer, capacity: Int) {
        slots.store(UInt(bitPattern: address) | UInt(capacity.trailingZeroBitCount), ordering: .relaxed)
    }

    func setCounters(_ address: UnsafeRawPointer) { counters.store(UInt(bitPattern: address), ordering: .relaxed) }

    @inline(__always)
    fileprivate func prefetch(_ hash: UInt64, _ counter: CacheCounter, _ ordinal: UInt16) {
        let slots = slots.load(ordering: .relaxed)
        let slot = UInt(truncatingIfNeeded: hash) & (1 << (slots & 63) &- 1)
        spark_prefetch(UnsafeRawPointer(bitPattern: slots & ~63 &+ slot &* 8))
        let place = CounterTable.place(counter, ordinal)
        spark_prefetch_to_write(UnsafeRawPointer(bitPattern: counters.load(ordering: .relaxed) &+ UInt(place &* 8)))
    }
}
