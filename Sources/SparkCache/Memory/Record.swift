/// The queue that a record is in.
enum RecordQueue: UInt8 {
    case free = 0
    case small = 1
    case main = 2
    /// Not needed soon: evicted first.
    case demoted = 3
    /// Evicted, and readable in memory until the spill has it.
    case pendingSpill = 4
}

/// One entry in memory, as a read needs it: 64 bytes, one line of the processor's cache.
struct Record {
    var key = EntryKey(namespace: 0, key: CacheKey(low: 0))
    /// The namespace's position in the shard's counters.
    var ordinal: UInt16 = 0
    var queue = RecordQueue.free
    /// Reads since it entered its queue, at most 3.
    var frequency: UInt8 = 0
    /// Milliseconds since 1970.
    var expiresAt: Int64 = 0
    var first = Stamp(slot: 0, version: 0)
    var second = Stamp(slot: 0, version: 0)
    /// The payload's object, or a `StampedPayload` when there are further stamps.
    var object: Unmanaged<AnyObject>?
    /// How long after its expiry the entry may be served, in milliseconds.
    var graceMilliseconds: UInt32 = 0
    var traits: Traits = []

    struct Traits: OptionSet {
        let rawValue: UInt8
        static let hasFirstStamp = Traits(rawValue: 1)
        static let hasSecondStamp = Traits(rawValue: 2)
        static let hasFurtherStamps = Traits(rawValue: 4)
        /// The origin answered that there is no such thing.
        static let isAbsent = Traits(rawValue: 8)
        static let maySpill = Traits(rawValue: 16)
        /// The spill has the same value, so it need not be written again.
        static let isSpilled = Traits(rawValue: 32)
    }

    /// The payload, retained for the caller.
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

/// The rest of an entry, which only writes and evictions need: 24 bytes.
struct RecordLink {
    var hash: UInt64 = 0
    var next: Int32 = -1
    var previous: Int32 = -1
    /// Bytes of the budget that the entry takes.
    var cost: UInt32 = 0
    /// Changes with each use of this place.
    var generation: UInt32 = 0
}

/// An entry to be stored. It owns a reference to its payload, which passes to the shard that stores it.
struct NewEntry {
    let key: EntryKey
    let ordinal: UInt16
    let expiresAt: Int64
    let graceMilliseconds: UInt32
    let cost: Int
    let first: Stamp
    let second: Stamp
    let object: Unmanaged<AnyObject>?
    let traits: Record.Traits

    /// - Parameter payload: nil: there is no such thing.
    init(
        _ key: EntryKey, _ payload: Payload?, cost: Int, expiresAt: Int64, stamps: StampSet, rules: NamespaceRules,
        traits: Record.Traits = []
    ) {
        self.key = key
        self.ordinal = rules.ordinal
        self.expiresAt = expiresAt
        self.graceMilliseconds = payload == nil ? 0 : rules.graceMilliseconds
        self.cost = payload == nil ? 0 : rules.cost(cost, stamps)
        self.first = stamps.first
        self.second = stamps.second
        var traits = traits.union(payload == nil ? .isAbsent : rules.traits)
        if stamps.count > 0 { traits.insert(.hasFirstStamp) }
        if stamps.count > 1 { traits.insert(.hasSecondStamp) }
        if stamps.count > 2, let payload {
            traits.insert(.hasFurtherStamps)
            self.object = Unmanaged.passRetained(StampedPayload(payload, stamps.further))
        } else {
            self.object = payload.map { Unmanaged.passRetained($0.object) }
        }
        self.traits = traits
    }

    /// An entry that was kept, with the stamps that its tags have now.
    init(_ kept: KeptEntry, _ table: StampView) {
        let stamps = StampSet(kept.slots.map { table.stamp(at: $0) })
        self.key = kept.key
        self.ordinal = kept.ordinal
        self.expiresAt = kept.expiresAt
        self.graceMilliseconds = kept.graceMilliseconds
        self.cost = Int(kept.cost)
        self.first = stamps.first
        self.second = stamps.second
        self.traits = kept.traits.subtracting(.isSpilled)
        if kept.traits.contains(.hasFurtherStamps), let payload = kept.payload {
            self.object = Unmanaged.passRetained(StampedPayload(payload, stamps.further))
        } else {
            self.object = kept.payload.map { Unmanaged.passRetained($0.object) }
        }
    }

    /// Gives up the payload of an entry that no shard took.
    func release() { object?.release() }
}
