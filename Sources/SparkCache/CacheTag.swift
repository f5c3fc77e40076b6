public import SparkCore

/// A kind of cache tag, such as "the profile of a user". The module that owns the kind declares it once and for all.
///
/// A kind is known by its name. Two kinds with one name would invalidate each other's entries, so the composition that opens the cache
/// must refuse them; Spark's server does so for `ModuleRegistrar.cacheTags`.
public struct CacheTagKind: Hashable, Sendable {
    /// `<module>.<thing>`, e.g. `chat.messages`.
    public let name: String
    @usableFromInline let seed: UInt64

    /// About 20 ns for each byte: keep the kind in a `static let`.
    public init(_ name: String) {
        self.name = name
        // FNV-1a, 64 bits, then mixed: names that differ in one letter must not give seeds that differ in a few bits.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        self.seed = SplitMix64.mix(hash)
    }

    /// Whether tags of the two kinds could be equal for different things. False for different names, unless 64 bits of hash collide.
    public func collides(with other: CacheTagKind) -> Bool { seed == other.seed }
}

/// Something whose change makes entries old: a kind and a number within it.
///
/// Equal kinds and numbers give equal tags. Different ones give equal tags with a probability of 2⁻⁶⁴, which would cost a miss and never
/// a wrong value.
public struct CacheTag: Hashable, Sendable {
    @usableFromInline let hash: UInt64

    /// - Parameters:
    ///   - kind: separates things with equal numbers.
    ///   - id: the thing within its kind, e.g. the bits of a row's identifier.
    @inlinable
    public init(_ kind: CacheTagKind, _ id: UInt64) {
        self.hash = SplitMix64.mix(id ^ kind.seed)
    }

    /// The tag of something that has an identifier.
    @inlinable
    public init<Kind: IdentifierKind>(_ kind: CacheTagKind, _ id: Identifier<Kind>) {
        self.init(kind, UInt64(bitPattern: id.rawValue))
    }
}
