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
    private let state = Mutex(State())

    fileprivate struct State {
        var last: Int64 = 0
        /// Nil until a test asks for repeatable identifiers.
        var sequence: RepeatableSequence?
    }

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
        let value = state.withLock { state in
            if let value = state.sequence?.next(Kind.prefix) { return value }
            state.last = candidate > state.last ? candidate : state.last &+ ((1 &+ Int64(chance >> 48)) << node.bits)
            return state.last
        }
        return Identifier(rawValue: value)
    }
}

// Repeatable identifiers, for test fixtures.
extension IdentifierGenerator {
    /// Identifiers that depend on a seed and on how many of their kind came before, and not on the clock. They are greater than
    /// every identifier of a clock before 2083, so they still rise.
    struct RepeatableSequence: Sendable {
        private static let firstMilliseconds: Int64 = 2_000_000_000_000
        var seed: UInt64
        private var counts: [String: Int64] = [:]

        init(seed: UInt64) { self.seed = seed }

        mutating func next(_ prefix: String) -> Int64 {
            let count = counts[prefix, default: 0]
            counts[prefix] = count + 1
            let chance = SplitMix64.mix(seed ^ SplitMix64.mix(of: prefix) &+ UInt64(bitPattern: count))
            let bits = IdentifierGenerator.chanceBits
            return (Self.firstMilliseconds + count) << bits | Int64(chance & (1 << UInt64(bits) - 1))
        }
    }

    /// Makes further identifiers repeatable: the same seed and the same calls give the same ones. A second seed changes them and
    /// does not begin again, so that none is given twice.
    package func seed(_ seed: UInt64) {
        state.withLock { state in
            if state.sequence == nil { state.sequence = RepeatableSequence(seed: seed) } else { state.sequence?.seed = seed }
        }
    }

    /// How far the identifiers are. A fixture keeps it with a snapshot, and resumes there when it restores the rows.
    package var position: Position { state.withLock { Position(state: $0) } }

    /// Goes on from a position. The rows with later identifiers must be gone.
    package func resume(at position: Position) { state.withLock { $0 = position.state } }

    /// A place in the identifiers.
    package struct Position: Sendable {
        fileprivate let state: State
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
