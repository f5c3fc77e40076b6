import SparkCore

/// The identifiers of a town's people, laid out like those of `IdentifierGenerator`: 41 bits of milliseconds since
/// 2020-01-01, 22 bits of chance.
///
/// Each person gets a millisecond of their own, evenly over the 400 days before the town's now; so identifiers rise with the
/// index, are unique, and end before the first that the server gives.
struct TownIdentifiers: Sendable {
    private static let chanceBits: Int64 = 22
    private static let epochMilliseconds: Int64 = 1_577_836_800_000
    /// 41 bits are full in 2089.
    private static let lastMillisecond: Int64 = 1 << 41 - 1

    private let count: Int64
    private let seed: UInt64
    private let firstMillisecond: Int64
    private let spanMilliseconds: Int64

    init(count: Int, seed: UInt64, now: Timestamp) {
        self.count = Int64(max(1, count))
        // Another stream than that of the people's traits.
        self.seed = SplitMix64.mix(~seed)
        let longest = History.span.milliseconds
        // A clock that is wrong by decades may spoil the times, but neither order nor uniqueness.
        let end = min(max(longest + 1, now.milliseconds - Self.epochMilliseconds), Self.lastMillisecond)
        firstMillisecond = end - longest
        spanMilliseconds = longest
    }

    func id(_ index: Int) -> UserID {
        let offset = Int64(index).multipliedFullWidth(by: spanMilliseconds)
        let millisecond = firstMillisecond + count.dividingFullWidth(offset).quotient
        let chance = Int64(truncatingIfNeeded: Draw.hash(seed: seed, stream: UInt64(index)) & (1 << UInt64(Self.chanceBits) - 1))
        return UserID(rawValue: millisecond << Self.chanceBits | chance)
    }
}
