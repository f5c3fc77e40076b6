package import SparkCore

/// A time in seconds since 1970, up to the year 2106. Times outside the range are clamped.
package struct EpochSecond: Hashable, Comparable, Sendable, BitwiseCopyable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The second that contains a time.
    package init(_ time: Timestamp) { self.rawValue = UInt32(clamping: time.flooredToSeconds.milliseconds / 1_000) }

    /// The start of the second.
    package var timestamp: Timestamp { Timestamp(milliseconds: Int64(rawValue) * 1_000) }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A day of birth in 16 bits: days since 1880-01-01, up to 2059. Days outside the range are clamped.
package struct BirthDay: Hashable, Comparable, Sendable, BitwiseCopyable {
    package let rawValue: UInt16
    /// 1880-01-01 in days since 1970-01-01.
    private static let origin: Int64 = -32_872

    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package init(daysSinceEpoch days: Int64) { self.rawValue = UInt16(clamping: days - Self.origin) }
    package init(_ date: CivilDate) { self.init(daysSinceEpoch: date.daysSinceEpoch) }

    package var date: CivilDate { CivilDate(daysSinceEpoch: Int64(rawValue) + Self.origin) }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
