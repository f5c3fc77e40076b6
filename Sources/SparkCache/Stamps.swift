import CSparkSystem
public import SparkCore
import Synchronization

/// Something whose change makes entries old: a person, a cell of the map, a conversation.
public struct CacheTag: Hashable, Sendable {
    @usableFromInline let hash: UInt64

    /// - Parameters:
    ///   - kind: sets tags of different things with equal numbers apart.
    public init(kind: UInt32, _ value: UInt64) {
        self.hash = SplitMix64.mix(value ^ SplitMix64.mix(UInt64(kind) &+ 0x5350_4152_4B00_0000))
    }

    public static func user(_ user: UserID) -> CacheTag { CacheTag(kind: 1, UInt64(bitPattern: user.rawValue)) }
    public static func conversation(_ conversation: ConversationID) -> CacheTag {
        CacheTag(kind: 2, UInt64(bitPattern: conversation.rawValue))
    }
}

/// The version that a tag had at one moment. While the tag still has it, what was read after that moment is current.
public struct Stamp: Hashable, Sendable {
    let slot: UInt32
    let version: UInt32
}

/// The versions of all tags: invalidation in constant time, without knowing which entries it makes old.
///
/// A fixed array of counters, addressed by the tag's hash. Tags that share a counter make each other's entries old now and
/// then, which costs a miss and is never wrong. Lock-free: one atomic addition to invalidate, one load to check.
///
/// Order: who invalidates does so after its commit is visible to readers; who loads takes the stamp *before* it reads. Then a
/// value read from before the write carries a stamp from before the invalidation, and is found old.
final class StampTable: Sendable {
    /// The same table, for the way of every read.
    let view: StampView
    let count: Int
    private let memory: Memory

    private struct Memory: @unchecked Sendable {  // freed in deinit, by the last owner
        let base: UnsafeMutablePointer<Atomic<UInt32>>
    }

    /// - Parameter count: a power of two.
    init(count: Int) {
        precondition(count > 0 && count & (count - 1) == 0, "the number of stamps is a power of two")
        // In huge pages: a read looks at one place or two among millions. Zeroed memory is counters at zero.
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

    /// Makes every entry old that depends on the tag.
    @discardableResult
    func invalidate(_ tag: CacheTag) -> Stamp { view.invalidate(tag) }

    /// Whether nothing was invalidated since the stamp was taken. A slot that does not exist is taken for another one.
    func isCurrent(_ stamp: Stamp) -> Bool { view.isCurrent(stamp) }

    /// Sets a counter while a spill is taken up again, before anybody uses the table.
    func restore(_ stamp: Stamp) { view.restore(stamp) }

    /// The counter of each slot.
    var versions: [UInt32] { view.versions }
}

/// A stamp table without a reference count, for those who keep the table: a count that all threads raise and lower on the way of
/// every read costs more than the read.
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

// The counters are atomics; the pointer never changes.
extension StampView: @unchecked Sendable {}
