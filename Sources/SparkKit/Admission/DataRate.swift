/// How fast bytes must move, on average after a grace.
public struct DataRate: Hashable, Sendable {
    /// 0 lifts the bound.
    public var bytesPerSecond: Int
    /// How long nothing at all may move.
    public var grace: Duration

    public init(bytesPerSecond: Int, grace: Duration) {
        self.bytesPerSecond = bytesPerSecond
        self.grace = grace
    }

    public static let unbounded = DataRate(bytesPerSecond: 0, grace: .zero)
}

/// Whether the bytes of one connection move fast enough. Pure: instants come in, as time since any fixed moment.
///
/// Bytes buy time: each moves the deadline by what it may take, never further than the grace from now. So over any stretch of time a
/// connection has moved at least the rate times that stretch less the grace, and a burst is no credit for standing still later.
public struct DataRateMeter: Sendable {
    private let rate: DataRate
    /// When the connection is too slow, unless more moves before.
    public private(set) var deadline: Duration

    /// - Returns: nil for a rate that is not bounded.
    public init?(_ rate: DataRate, at now: Duration) {
        guard rate.bytesPerSecond > 0 else { return nil }
        self.rate = rate
        self.deadline = now + rate.grace
    }

    public mutating func moved(_ bytes: Int, at now: Duration) {
        guard bytes > 0 else { return }
        // More than an hour's worth changes nothing: the grace is shorter.
        let hour = rate.bytesPerSecond.multipliedReportingOverflow(by: 3_600)
        let bytes = hour.overflow ? bytes : min(bytes, hour.partialValue)
        deadline = min(now + rate.grace, deadline + .seconds(Double(bytes) / Double(rate.bytesPerSecond)))
    }

    /// Nothing could move for a reason that is not the client's.
    public mutating func excuse(at now: Duration) { deadline = now + rate.grace }

    public func isTooSlow(at now: Duration) -> Bool { now >= deadline }
}

/// Which way bytes moved too slowly.
public enum DataDirection: String, CaseIterable, Sendable {
    /// A request's body, from the client.
    case body
    /// An answer, to the client.
    case answer
}
