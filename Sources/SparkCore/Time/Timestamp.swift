/// An instant: milliseconds since 1970-01-01T00:00:00Z without leap seconds.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970.
    public var milliseconds: Int64

    /// An instant from milliseconds since 1970.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Orders by time.
    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    /// A later instant.
    public static func + (left: Self, right: Duration) -> Self {
        Timestamp(milliseconds: left.milliseconds &+ right.milliseconds)
    }

    /// An earlier instant.
    public static func - (left: Self, right: Duration) -> Self {
        Timestamp(milliseconds: left.milliseconds &- right.milliseconds)
    }

    /// The time from the right instant to the left one.
    public static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.milliseconds &- right.milliseconds)
    }

    /// The UTC day of this instant.
    public var date: CivilDate {
        CivilDate(daysSinceEpoch: milliseconds.flooredQuotient(86_400_000))
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero and clamped to Int64.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product &+ attoseconds / 1_000_000_000_000_000
    }

    /// Seconds as a floating-point number.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// Whole seconds, rounded up and never negative: the unit of `Retry-After`.
    public var roundedUpSeconds: Int {
        let milliseconds = max(0, milliseconds)
        return Int(clamping: milliseconds / 1_000 + (milliseconds % 1_000 == 0 ? 0 : 1))
    }

    /// A duration of whole minutes.
    public static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
    /// A duration of whole hours.
    public static func hours(_ count: Int) -> Duration { .seconds(count * 3_600) }
    /// A duration of 24-hour days.
    public static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}

extension Int64 {
    /// Division that rounds towards minus infinity.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
