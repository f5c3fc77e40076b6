import SparkCore

/// The identifiers of a town's people, in the layout of `IdentifierGenerator`: 41 bits of milliseconds since 2020-01-01, 22
/// random bits.
///
/// Each person has a distinct millisecond, evenly spread over the 400 days before the town's now. So identifiers increase with
/// the index, are unique, and are smaller than any that the server issues.
struct TownIdentifiers: Sendable {
    private static let chanceBits: Int64 = 22
    private static let epochMilliseconds: Int64 = 1_577_836_800_000
    /// 41 bits last until 2089.
    private static let lastMillisecond: Int64 = 1 << 41 - 1

    private let count: Int64
    private let seed: UInt64
    private let firstMillisecond: Int64
    private let spanMilliseconds: Int64

    init(count: Int, seed: UInt64, now: Timestamp) {
        self.count = Int64(max(1, count))
        // A different stream from that of the people's traits.
        self.seed = SplitMix64.mix(~seed)
        let longest = History.span.milliseconds
        // A clock that is wrong by decades may affect the times, but neither order nor uniqueness.
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
