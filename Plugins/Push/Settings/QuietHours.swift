import SparkCore

/// Hours of each day without pushes, as minutes after local midnight. They span midnight when `until` is smaller than `from`.
struct QuietHours: Hashable, Sendable {
    let from: Int
    let until: Int

    private static let day = 1_440

    /// When the current quiet hours end; nil outside of them.
    func end(at now: Timestamp, in zone: LocalTime) -> Timestamp? {
        let minute = zone.minute(at: now)
        let isQuiet = from < until ? (from..<until).contains(minute) : minute >= from || minute < until
        guard isQuiet else { return nil }
        let left = (until - minute + Self.day) % Self.day
        let end = now + .minutes(left) - .milliseconds(now.milliseconds % 60_000)
        // Corrects for a change between standard and daylight saving time before the end.
        return end + .seconds(zone.offset(at: now) - zone.offset(at: end))
    }

    /// Parses `HH:MM` to minutes after midnight.
    static func minute(_ text: String) -> Int? {
        let digits = Array(text.utf8)
        guard digits.count == 5, digits[2] == UInt8(ascii: ":") else { return nil }
        let values = [0, 1, 3, 4].map { Int(digits[$0]) - 48 }
        guard values.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let (hour, minute) = (values[0] * 10 + values[1], values[2] * 10 + values[3])
        return hour < 24 && minute < 60 ? hour * 60 + minute : nil
    }

    static func text(_ minute: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }
}
