import Synchronization

/// The segments that live, by slot. Readers take a segment out of it; one that is removed meanwhile stays readable to them.
final class SegmentTable: Sendable {
    /// Slots are handed out in turn: one that was freed is not used again before all others were.
    static let slots = 4_096
    /// Some room between the newest and the oldest, so that a location of a removed segment is not taken for a new one's.
    static let mostLive = slots * 3 / 4

    private struct Live {
        var bySlot = [SpillSegment?](repeating: nil, count: SegmentTable.slots)
        /// Oldest first.
        var inOrder: [SpillSegment] = []
    }

    private let live = Mutex(Live())

    subscript(slot: Int) -> SpillSegment? {
        live.withLock { $0.bySlot.indices.contains(slot) ? $0.bySlot[slot] : nil }
    }

    func insert(_ segment: SpillSegment) {
        live.withLock {
            $0.bySlot[segment.slot] = segment
            $0.inOrder.append(segment)
        }
    }

    /// - Returns: whether it was there.
    @discardableResult
    func remove(_ segment: SpillSegment) -> Bool {
        live.withLock {
            guard $0.bySlot[segment.slot] === segment else { return false }
            $0.bySlot[segment.slot] = nil
            $0.inOrder.removeAll { $0 === segment }
            return true
        }
    }

    /// Oldest first.
    var all: [SpillSegment] { live.withLock { $0.inOrder } }
    var oldest: SpillSegment? { live.withLock { $0.inOrder.first } }
    var count: Int { live.withLock { $0.inOrder.count } }
    var bytes: Int { live.withLock { $0.inOrder.reduce(0) { $0 + $1.bytes } } }
}
