import SparkCore

/// The `Date` field (RFC 9110, section 5.6.7), formatted by the second.
final class HTTPDate: Sendable {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private let clock: any WallClock

    init(clock: any WallClock) { self.clock = clock }

    /// The current second since 1970.
    var second: Int64 { max(0, clock.now().milliseconds) / 1_000 }

    var now: String { Self.text(second: second) }

    /// - Parameter second: seconds since 1970, not negative.
    static func text(second: Int64) -> String {
        let date = CivilDate(daysSinceEpoch: second / 86_400)
        let rest = Int(second % 86_400)
        // 1970-01-01 was a Thursday.
        let weekday = Self.days[Int(date.daysSinceEpoch % 7)]
        let time = [rest / 3_600, rest / 60 % 60, rest % 60].map(twoDigits).joined(separator: ":")
        let year = String(repeating: "0", count: max(0, 4 - "\(date.year)".count)) + "\(date.year)"
        return "\(weekday), \(twoDigits(date.day)) \(months[date.month - 1]) \(year) \(time) GMT"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
