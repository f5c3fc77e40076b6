import Synchronization

/// Generates identifiers: 41 bits of milliseconds since 2020 and 22 random bits, strictly increasing within a process.
///
/// The time order makes B-trees append new rows at the end. The random bits stop clients from counting or enumerating
/// identifiers. Takes one lock, does not suspend, about 20 ns.
public final class IdentifierGenerator: Sendable {
    private static let chanceBits: Int64 = 22
    private let clock: any WallClock
    private let random: any RandomSource
    private let last = Mutex<Int64>(0)

    /// A generator that reads the time and random bits from its arguments.
    public init(clock: any WallClock, random: any RandomSource) {
        self.clock = clock
        self.random = random
    }

    /// A new identifier, greater than all earlier ones of this generator.
    public func next<Kind>(_ kind: Kind.Type = Kind.self) -> Identifier<Kind> {
        let chance = random.next()
        let milliseconds = max(1, clock.now().milliseconds - Timestamp.identifierEpoch.milliseconds)
        let candidate =
            (milliseconds & (1 << 41 - 1)) << Self.chanceBits | Int64(chance & (1 << UInt64(Self.chanceBits) - 1))
        let value = last.withLock { last in
            last = candidate > last ? candidate : last &+ 1 &+ Int64(chance >> 48)
            return last
        }
        return Identifier(rawValue: value)
    }
}

extension Timestamp {
    /// 2020-01-01T00:00:00Z: zero for generated identifiers.
    static let identifierEpoch = Timestamp(milliseconds: 1_577_836_800_000)
}
