public import SparkCore

/// A kind of cache tag, such as "the profile of a user". The module that owns the kind declares it once and for all.
///
/// A kind is known by its name. Two kinds with one name would invalidate each other's entries, so the composition that opens the
/// cache must refuse them; Spark's server does so for `ModuleRegistrar.cacheTags`.
public struct CacheTagKind: Hashable, Sendable {
    /// A literal, so that a kind has no reference count: kinds are read on every put.
    private let literal: StaticString
    @usableFromInline let seed: UInt64

    /// About a nanosecond for each byte: keep the kind in a `static let`.
    /// - Parameter name: `<module>.<thing>`, e.g. `chat.messages`.
    public init(_ name: StaticString) {
        self.literal = name
        self.seed = name.withUTF8Buffer { Self.seed(of: $0) }
    }

    /// FNV-1a, 64 bits, then mixed: names that differ in one letter must not give seeds that differ in a few bits.
    static func seed(of name: some Sequence<UInt8>) -> UInt64 {
        SplitMix64.mix(name.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }

    /// `<module>.<thing>`
    public var name: String { literal.description }

    /// Whether the kinds have the same tags: equal names, or names whose 64-bit hashes are equal.
    public static func == (left: CacheTagKind, right: CacheTagKind) -> Bool { left.seed == right.seed }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) { hasher.combine(seed) }
}

/// Something whose change makes entries stale: a kind and a number within it.
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
