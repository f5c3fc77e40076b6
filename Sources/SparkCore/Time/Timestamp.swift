/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    public static func + (left: Self, right: Duration) -> Self {
        Timestamp(milliseconds: left.milliseconds &+ right.milliseconds)
    }

    public static func - (left: Self, right: Duration) -> Self {
        Timestamp(milliseconds: left.milliseconds &- right.milliseconds)
    }

    public static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.milliseconds &- right.milliseconds)
    }

    /// The UTC day on which this instant lies.
    public var date: CivilDate {
        CivilDate(daysSinceEpoch: milliseconds.flooredQuotient(86_400_000))
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero; saturates.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product &+ attoseconds / 1_000_000_000_000_000
    }

    /// Seconds, for arithmetic that does not need the last digit.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// Whole seconds, rounded up and never negative: the unit of `Retry-After`.
    public var roundedUpSeconds: Int {
        let milliseconds = max(0, milliseconds)
        return Int(clamping: milliseconds / 1_000 + (milliseconds % 1_000 == 0 ? 0 : 1))
    }

    public static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
    public static func hours(_ count: Int) -> Duration { .seconds(count * 3_600) }
    public static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}

extension Int64 {
    /// Division that rounds towards minus infinity.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
