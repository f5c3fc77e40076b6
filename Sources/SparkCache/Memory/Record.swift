/// Which queue a record stands in.
enum RecordQueue: UInt8 {
    case free = 0
    case small = 1
    case main = 2
    /// Will not be needed soon: goes first.
    case leaving = 3
    /// Evicted, and still readable here until the spill has it.
    case outgoing = 4
}

/// One entry in memory, as a read needs it: one line of the processor's cache (64 bytes).
struct Record {
    var key = EntryKey(namespace: 0, key: CacheKey(low: 0))
    /// Position in the shard's table of namespaces' counters.
    var ordinal: UInt16 = 0
    var queue = RecordQueue.free
    /// Reads since it stands in its queue, at most 3.
    var frequency: UInt8 = 0
    /// Milliseconds since 1970.
    var expiresAt: Int64 = 0
    var first = Stamp(slot: 0, version: 0)
    var second = Stamp(slot: 0, version: 0)
    /// A payload's object, or a `StampedPayload` where there are further stamps.
    var object: Unmanaged<AnyObject>?
    /// For so many milliseconds after it expired it may still serve.
    var graceMilliseconds: UInt32 = 0
    var traits: Traits = []

    struct Traits: OptionSet {
        let rawValue: UInt8
        static let hasFirstStamp = Traits(rawValue: 1)
        static let hasSecondStamp = Traits(rawValue: 2)
        static let hasFurtherStamps = Traits(rawValue: 4)
        /// There is no such thing; the origin said so.
        static let isAbsent = Traits(rawValue: 8)
        static let maySpill = Traits(rawValue: 16)
        /// The spill holds the same value: it need not be written again.
        static let isSpilled = Traits(rawValue: 32)
    }

    /// The payload, held for the caller.
    @inline(__always)
    var payload: Payload? {
        traits.contains(.hasFurtherStamps) ? stamped?.payload : object.map { Payload($0.takeUnretainedValue()) }
    }

    private var stamped: StampedPayload? {
        guard traits.contains(.hasFurtherStamps), let object else { return nil }
        return unsafeDowncast(object.takeUnretainedValue(), to: StampedPayload.self)
    }

    @inline(__always)
    func areStampsCurrent(_ table: StampView) -> Bool {
        if traits.contains(.hasFirstStamp), !table.isCurrent(first) { return false }
        if traits.contains(.hasSecondStamp), !table.isCurrent(second) { return false }
        return !traits.contains(.hasFurtherStamps) || areFurtherStampsCurrent(table)
    }

    @inline(never)
    private func areFurtherStampsCurrent(_ table: StampView) -> Bool {
        stamped?.furtherStamps.allSatisfy(table.isCurrent) ?? true
    }

    /// All stamps, in order.
    var stamps: [Stamp] {
        var all: [Stamp] = []
        if traits.contains(.hasFirstStamp) { all.append(first) }
        if traits.contains(.hasSecondStamp) { all.append(second) }
        return all + (stamped?.furtherStamps ?? [])
    }
}

/// The rest of an entry, which only writing and evicting need: 24 bytes.
struct RecordLink {
    var hash: UInt64 = 0
    var next: Int32 = -1
    var previous: Int32 = -1
    /// What it takes of the budget, in bytes.
    var cost: UInt32 = 0
    /// Tells one use of this place from the next.
    var generation: UInt32 = 0
}
