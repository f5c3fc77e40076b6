import Crypto
import SparkCore

/// The rules that hold for all entries of a namespace.
public struct NamespacePolicy: Sendable {
    /// Unique in a cache, and a label of its metrics, e.g. `user:profile`.
    public var name: String
    /// The version of the encoding of values. With a new version, values spilled under the old one are no longer found.
    public var version = 1
    /// How long an entry is good if nothing invalidates it.
    public var lifetime: Duration
    /// Each lifetime is shortened by a share of up to this (0 to 1), so that entries cached together do not expire together.
    public var jitter = 0.1
    /// How long after its expiry an entry is still served while one load replaces it. An invalidated entry is never served.
    public var staleWhileRevalidate: Duration = .zero
    /// How long after its expiry an entry is served when the origin fails. An invalidated entry is never served.
    public var staleIfError: Duration = .zero
    /// How long an answer "there is no such thing" is cached; nil: not at all.
    public var negativeLifetime: Duration?
    /// A value that costs more bytes than this is not cached.
    public var maximumValueBytes = 256 * 1_024
    /// Whether entries go to the disk when memory has no room for them.
    public var isSpilled = true
    /// Whether spilled values are compressed.
    public var isCompressed = true
    /// Whether `Cache.prefetch` and `Cache.demote` reach this namespace. All such namespaces of a cache must use the same keys.
    public var isPrefetched = false

    /// A policy with a name and a lifetime; everything else has a default.
    public init(_ name: String, lifetime: Duration) {
        self.name = name
        self.lifetime = lifetime
    }

    /// Identifies name and version on the disk, across restarts and upgrades.
    var identity: UInt32 {
        SHA256.hash(data: Array("\(name)/\(version)".utf8)).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// How long after its expiry an entry stays in memory at all, in milliseconds.
    fileprivate var graceMilliseconds: UInt32 {
        UInt32(clamping: max(staleWhileRevalidate.milliseconds, staleIfError.milliseconds))
    }
}

/// A policy in the form that the hot paths read.
@usableFromInline
struct NamespaceRules: Sendable {
    @usableFromInline let identity: UInt32
    @usableFromInline let ordinal: UInt16
    /// Milliseconds.
    let lifetime: Int64
    /// Milliseconds.
    let negativeLifetime: Int64?
    let graceMilliseconds: UInt32
    /// Bytes.
    let maximumCost: Int
    let traits: Record.Traits
    private let spread: UInt64
    private let overhead: Int

    /// - Parameters:
    ///   - ordinal: the position of the namespace in the order of declaration.
    ///   - overhead: bytes that a payload adds to its value.
    init(_ policy: NamespacePolicy, ordinal: Int, overhead: Int) {
        self.identity = policy.identity
        self.ordinal = UInt16(ordinal)
        self.lifetime = policy.lifetime.milliseconds
        self.negativeLifetime = policy.negativeLifetime?.milliseconds
        self.graceMilliseconds = policy.graceMilliseconds
        self.maximumCost = policy.maximumValueBytes
        self.traits = policy.isSpilled ? .maySpill : []
        self.overhead = overhead
        self.spread = UInt64(max(0, min(1, policy.jitter)) * 65_536)
    }

    /// When an entry made now expires, in milliseconds since 1970. The key and the time decide how much of the jitter applies.
    func expiry(_ lifetime: Int64, now: Int64, hash: UInt64) -> Int64 {
        let share = Int64(((SplitMix64.mix(hash ^ UInt64(bitPattern: now)) >> 48) &* spread) >> 16)
        let (cut, overflow) = lifetime.multipliedReportingOverflow(by: share)
        let (end, isBeyond) = now.addingReportingOverflow(lifetime - (overflow ? 0 : cut >> 16))
        return isBeyond ? .max : end
    }

    /// The bytes of a value with what malloc, the payload and a list of further stamps add.
    func cost(_ value: Int, _ stamps: StampSet) -> Int {
        value + overhead + (stamps.further.isEmpty ? 0 : 96 + stamps.further.count * 8)
    }
}
