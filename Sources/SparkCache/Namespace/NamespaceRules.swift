import SparkCore

/// A policy in the form that each entry asks it.
@usableFromInline
struct NamespaceRules: Sendable {
    @usableFromInline let identity: UInt32
    @usableFromInline let ordinal: UInt16
    @usableFromInline let isWrittenBehind: Bool
    let lifetime: Int64
    let negativeLifetime: Int64?
    let graceMilliseconds: UInt32
    let maximumCost: Int
    let traits: Record.Traits
    private let spread: UInt64
    private let overhead: Int

    /// - Parameter overhead: what a payload adds to its value, in bytes.
    init(_ policy: NamespacePolicy, ordinal: Int, overhead: Int) {
        self.identity = policy.identity
        self.ordinal = UInt16(ordinal)
        if case .behind = policy.writing { self.isWrittenBehind = true } else { self.isWrittenBehind = false }
        self.lifetime = policy.lifetime.milliseconds
        self.negativeLifetime = policy.negativeLifetime?.milliseconds
        self.graceMilliseconds = policy.graceMilliseconds
        self.maximumCost = policy.maximumValueBytes
        self.traits = policy.isSpilled ? .maySpill : []
        self.overhead = overhead
        self.spread = UInt64(max(0, min(1, policy.jitter)) * 65_536)
    }

    /// When an entry that is made now expires: up to the jitter's share early, as its key and the moment have it.
    func expiry(_ lifetime: Int64, now: Int64, hash: UInt64) -> Int64 {
        let share = Int64(((SplitMix64.mix(hash ^ UInt64(bitPattern: now)) >> 48) &* spread) >> 16)
        let (cut, overflow) = lifetime.multipliedReportingOverflow(by: share)
        let (end, isBeyond) = now.addingReportingOverflow(lifetime - (overflow ? 0 : cut >> 16))
        return isBeyond ? .max : end
    }

    /// With what malloc and the entry add: the payload, and its list of stamps.
    func cost(_ value: Int, _ stamps: StampSet) -> Int {
        value + overhead + (stamps.further.isEmpty ? 0 : 96 + stamps.further.count * 8)
    }
}
