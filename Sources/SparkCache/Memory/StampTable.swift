import CSparkSystem
import Synchronization

/// The version that a tag had at one moment. While the tag still has it, what was read after that moment is current.
struct Stamp: Hashable, Sendable {
    let slot: UInt32
    let version: UInt32
}

/// The versions of all tags. They make invalidation a constant-time operation that visits no entry.
///
/// A fixed array of counters, addressed by the tag's hash. Tags that share a counter sometimes invalidate each other's entries.
/// That costs a miss and never gives a wrong value. Lock-free: one atomic addition to invalidate, one load to check.
///
/// Order: invalidate after the commit is visible to readers; take the stamp *before* the load reads. Then a value read from
/// before the write has a stamp from before the invalidation, and is old.
final class StampTable: Sendable {
    /// The same table without a reference count, for the read path.
    let view: StampView
    let count: Int
    private let memory: Memory

    private struct Memory: @unchecked Sendable {  // atomics, which `StampTable` frees
        let base: UnsafeMutablePointer<Atomic<UInt32>>
    }

    /// - Parameter count: a power of two.
    init(count: Int) {
        precondition(count > 0 && count & (count - 1) == 0, "the number of stamps is a power of two")
        // In huge pages, because a read touches one or two places among millions. Zeroed memory is counters at zero.
        guard let table = spark_table_allocate(count * 4) else { preconditionFailure("no memory for the stamps") }
        let base = table.bindMemory(to: Atomic<UInt32>.self, capacity: count)
        self.count = count
        self.memory = Memory(base: base)
        self.view = StampView(base, count: count)
    }

    deinit {
        spark_table_free(memory.base, count * 4)
    }

    func stamp(of tag: CacheTag) -> Stamp { view.stamp(of: tag) }

    /// Makes every entry that depends on the tag stale.
    @discardableResult
    func invalidate(_ tag: CacheTag) -> Stamp { view.invalidate(tag) }

    /// Whether the tag was not invalidated since the stamp was taken. A slot outside the table is mapped to one inside.
    func isCurrent(_ stamp: Stamp) -> Bool { view.isCurrent(stamp) }

    /// Sets a counter during a warm restart, before anything else uses the table.
    func restore(_ stamp: Stamp) { view.restore(stamp) }

    /// The counters of all slots.
    var versions: [UInt32] { view.versions }
}

/// A stamp table without a reference count; the caller keeps the table alive. A count that all threads raise and lower on every
/// read would cost more than the read.
struct StampView {
    private let counters: UnsafeMutablePointer<Atomic<UInt32>>
    private let mask: Int

    fileprivate init(_ counters: UnsafeMutablePointer<Atomic<UInt32>>, count: Int) {
        self.counters = counters
        self.mask = count - 1
    }

    @inline(__always)
    private func slot(of tag: CacheTag) -> Int { Int(truncatingIfNeeded: tag.hash) & mask }

    @inline(__always)
    func stamp(of tag: CacheTag) -> Stamp {
        let slot = slot(of: tag)
        return Stamp(slot: UInt32(slot), version: counters[slot].load(ordering: .acquiring))
    }

    /// The stamp of a slot now.
    func stamp(at slot: UInt32) -> Stamp {
        Stamp(slot: slot, version: counters[Int(slot) & mask].load(ordering: .acquiring))
    }

    @discardableResult
    func invalidate(_ tag: CacheTag) -> Stamp {
        let slot = slot(of: tag)
        return Stamp(slot: UInt32(slot), version: counters[slot].wrappingAdd(1, ordering: .acquiringAndReleasing).newValue)
    }

    @inline(__always)
    func isCurrent(_ stamp: Stamp) -> Bool {
        counters[Int(stamp.slot) & mask].load(ordering: .acquiring) == stamp.version
    }

    func restore(_ stamp: Stamp) {
        guard Int(stamp.slot) <= mask else { return }
        counters[Int(stamp.slot)].store(stamp.version, ordering: .releasing)
    }

    var versions: [UInt32] { (0...mask).map { counters[$0].load(ordering: .acquiring) } }
}

// The counters are atomics, and the pointer never changes.
extension StampView: @unchecked Sendable {}

/// The stamps of one entry: two without an allocation, and a list for the few entries that have more.
struct StampSet: Sendable {
    private(set) var count = 0
    private(set) var first = Stamp(slot: 0, version: 0)
    private(set) var second = Stamp(slot: 0, version: 0)
    private(set) var further: [Stamp] = []

    init() {}

    init(_ stamps: some Sequence<Stamp>) {
        for stamp in stamps { append(stamp) }
    }

    init(_ tag: CacheTag, _ table: StampView) {
        first = table.stamp(of: tag)
        count = 1
    }

    init(_ tags: [CacheTag], _ table: StampView) {
        for tag in tags { append(table.stamp(of: tag)) }
    }

    mutating func append(_ stamp: Stamp) {
        switch count {
        case 0: first = stamp
        case 1: second = stamp
        default: further.append(stamp)
        }
        count += 1
    }

    func areCurrent(_ table: StampView) -> Bool {
        (count < 1 || table.isCurrent(first)) && (count < 2 || table.isCurrent(second)) && further.allSatisfy(table.isCurrent)
    }
}
