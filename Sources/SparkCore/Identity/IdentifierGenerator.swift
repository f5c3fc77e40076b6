import Synchronization

/// Generates identifiers: 41 bits of milliseconds since 2020 and 22 lower bits, strictly increasing within a process.
///
/// The lower bits are random on a server that is alone. On one of several servers of the same database, the lowest six hold the
/// server's number, so that two servers never generate the same identifier; 16 bits stay random. A database can begin with one
/// server and get more later.
///
/// The time order makes B-trees append new rows at the end. The random bits stop clients from counting or enumerating
/// identifiers. Takes one lock, does not suspend, about 20 ns.
public final class IdentifierGenerator: Sendable {
    private static let chanceBits: Int64 = 22
    private let clock: any WallClock
    private let random: any RandomSource
    /// The place of the server's number in the lower bits; no bits when the server is alone.
    private let node: (bits: Int64, number: Int64)
    private let last = Mutex<Int64>(0)

    /// A generator that reads the time and random bits from its arguments.
    /// - Parameter node: The number of this server among several, 0 to 63; nil when it is alone.
    public init(clock: any WallClock, random: any RandomSource, node: NodeNumber? = nil) {
        self.clock = clock
        self.random = random
        self.node = node.map { (Int64(NodeNumber.bits), Int64($0.value)) } ?? (0, 0)
    }

    /// A new identifier, greater than all earlier ones of this generator.
    public func next<Kind>(_ kind: Kind.Type = Kind.self) -> Identifier<Kind> {
        let chance = random.next()
        let milliseconds = max(1, clock.now().milliseconds - Timestamp.identifierEpoch.milliseconds)
        let own = Int64(chance & (1 << UInt64(Self.chanceBits) - 1)) & ~(1 << node.bits - 1)
        let candidate = (milliseconds & (1 << 41 - 1)) << Self.chanceBits | own | node.number
        let value = last.withLock { last in
            last = candidate > last ? candidate : last &+ ((1 &+ Int64(chance >> 48)) << node.bits)
            return last
        }
        return Identifier(rawValue: value)
    }
}

/// The number of a server among several that share a database: 0 to 63.
public struct NodeNumber: Hashable, Sendable {
    static let bits = 6
    /// The number.
    public let value: Int

    /// Nil for a number outside 0 to 63.
    public init?(_ value: Int) {
        guard (0..<1 << Self.bits).contains(value) else { return nil }
        self.value = value
    }
}

extension Timestamp {
    /// 2020-01-01T00:00:00Z: zero for generated identifiers.
    static let identifierEpoch = Timestamp(milliseconds: 1_577_836_800_000)
}
