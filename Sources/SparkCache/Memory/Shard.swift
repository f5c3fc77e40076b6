import CSparkSystem
import Synchronization

/// The shards of a cache: each one lock, and what it protects.
///
/// They stand in plain memory and are reached through pointers, because a reference that all threads count up and down on the way
/// of every read costs more than the read. Each begins a line of the processor's cache and shares none with its neighbours, whose
/// threads would else wait for each other.
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

    /// A view of the shards, for those who keep the array.
    var view: Shards { Shards(base: base, hints: hints, count: count, shift: shift) }
}

// The pointers never change, and each table stands behind its lock.
extension ShardArray: @unchecked Sendable {}

/// All shards, without a reference count.
struct Shards: @unchecked Sendable {  // as the array
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate let hints: UnsafeMutablePointer<ShardHint>
    let count: Int
    fileprivate let shift: UInt64

    /// The shard that a key's hash falls to: its top bits say.
    @inline(__always)
    subscript(hash hash: UInt64) -> Shard { self[Int(truncatingIfNeeded: hash >> shift)] }

    @inline(__always)
    private subscript(index: Int) -> Shard { Shard(pointer: Shard.pointer(base, index), hint: hints + index) }

    var all: [Shard] { (0..<count).map { self[$0] } }
}

/// One shard, without a reference count.
struct Shard: @unchecked Sendable {  // as the array
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

    /// Lets memory bring what a step on this key begins with, all at once, before the lock is taken.
    @inline(__always)
    func prefetch(_ hash: UInt64, counting tally: Tally, _ ordinal: UInt16) {
        spark_prefetch_to_write(pointer)
        hint.pointee.prefetch(hash, tally, ordinal)
    }
}

/// Where a shard's tables stand, for who has not taken its lock. It may be out of date, and is for prefetching alone.
struct ShardHint: ~Copyable {
    /// The address of the slots, and how many there are as a power of two in its low bits, which are free: slots begin a line.
    private let slots = Atomic<UInt>(0)
    private let tallies = Atomic<UInt>(0)

    func setSlots(_ address: UnsafeRawPointer, capacity: Int) {
        slots.store(UInt(bitPattern: address) | UInt(capacity.trailingZeroBitCount), ordering: .relaxed)
    }

    func setTallies(_ address: UnsafeRawPointer) { tallies.store(UInt(bitPattern: address), ordering: .relaxed) }

    @inline(__always)
    fileprivate func prefetch(_ hash: UInt64, _ tally: Tally, _ ordinal: UInt16) {
        let slots = slots.load(ordering: .relaxed)
        let slot = UInt(truncatingIfNeeded: hash) & (1 << (slots & 63) &- 1)
        spark_prefetch(UnsafeRawPointer(bitPattern: slots & ~63 &+ slot &* 8))
        let place = TallyTable.place(tally, ordinal)
        spark_prefetch_to_write(UnsafeRawPointer(bitPattern: tallies.load(ordering: .relaxed) &+ UInt(place &* 8)))
    }
}
