import Foundation
import SparkCore

/// The wall clock of a time zone.
struct LocalTime: Sendable {
    private let zone: TimeZone?

    /// - Parameter name: from the time zone database; an unknown name means UTC.
    init(_ name: String) { zone = name == "UTC" ? nil : TimeZone(identifier: name) }

    /// The name if there is such a time zone; nil otherwise.
    static func known(_ name: String) -> String? {
        name == "UTC" || (name.utf8.count <= 64 && TimeZone(identifier: name) != nil) ? name : nil
    }

    /// Seconds east of UTC.
    func offset(at instant: Timestamp) -> Int {
        zone?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant.milliseconds) / 1_000)) ?? 0
    }

    /// Minutes since midnight.
    func minute(at instant: Timestamp) -> Int {
        let local = instant + .seconds(offset(at: instant))
        return Int((local - local.date.startOfDay).milliseconds / 60_000)
    }

    /// Days since 1970-01-01 in local time.
    func day(at instant: Timestamp) -> Int64 {
        (instant + .seconds(offset(at: instant))).date.startOfDay.milliseconds / 86_400_000
    }
}
