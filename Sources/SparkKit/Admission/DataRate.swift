/// The lowest rate at which bytes must move, on average after a grace period.
public struct DataRate: Hashable, Sendable {
    /// 0 means no limit.
    public var bytesPerSecond: Int
    /// How long the bytes may stop completely.
    public var grace: Duration

    /// Creates a rate.
    public init(bytesPerSecond: Int, grace: Duration) {
        self.bytesPerSecond = bytesPerSecond
        self.grace = grace
    }

    /// No limit.
    public static let unbounded = DataRate(bytesPerSecond: 0, grace: .zero)
}

/// Measures whether the bytes of one connection move fast enough. Pure: the caller passes instants, as the time since any fixed
/// moment.
///
/// Each byte moves the deadline forward by the time that it may take, but never further than the grace period from now. So over
/// any interval the connection moves at least the rate times the interval minus the grace period, and a burst does not excuse a
/// later stop.
public struct DataRateMeter: Sendable {
    private let rate: DataRate
    /// The instant at which the connection is too slow unless more bytes move before.
    public private(set) var deadline: Duration

    /// Starts the grace period.
    /// - Returns: Nil if the rate has no limit.
    public init?(_ rate: DataRate, at now: Duration) {
        guard rate.bytesPerSecond > 0 else { return nil }
        self.rate = rate
        self.deadline = now + rate.grace
    }

    /// Counts bytes that moved.
    public mutating func moved(_ bytes: Int, at now: Duration) {
        guard bytes > 0 else { return }
        // More than an hour's worth of bytes changes nothing, because the grace period is shorter.
        let hour = rate.bytesPerSecond.multipliedReportingOverflow(by: 3_600)
        let bytes = hour.overflow ? bytes : min(bytes, hour.partialValue)
        deadline = min(now + rate.grace, deadline + .seconds(Double(bytes) / Double(rate.bytesPerSecond)))
    }

    /// Restarts the grace period, because bytes could not move for a reason that is not the client's.
    public mutating func excuse(at now: Duration) { deadline = now + rate.grace }

    /// True if the deadline has passed.
    public func isTooSlow(at now: Duration) -> Bool { now >= deadline }
}

/// The direction in which bytes moved too slowly.
public enum DataDirection: String, CaseIterable, Sendable {
    /// A request's head, from the client.
    case head
    /// A request's body, from the client.
    case body
    /// An answer, to the client.
    case answer
}
