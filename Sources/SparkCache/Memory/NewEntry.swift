/// An entry to be filed, with a reference to its payload that goes over to the shard that files it.
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

    /// For an entry that no shard took.
    func release() { object?.release() }
}
