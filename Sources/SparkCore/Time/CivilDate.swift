/// A day of the proleptic Gregorian calendar, without a time zone.
public struct CivilDate: Hashable, Comparable, Sendable {
    /// 1…9999.
    public let year: Int
    /// 1…12.
    public let month: Int
    /// 1…31.
    public let day: Int

    /// Nil for a day that does not exist (30 February, month 13, a year outside 1…9999).
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.days(inMonth: month, of: year)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// The day that many days after 1970-01-01, clamped to the years 1…9999.
    ///
    /// The calculation counts from 1 March of year 0, so that the leap day is the last day of a year (Hinnant,
    /// "chrono-compatible low-level date algorithms").
    public init(daysSinceEpoch: Int64) {
        let clamped = min(max(daysSinceEpoch, -719_162), 2_932_896)
        let shifted = clamped + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
        self.month = Int(month)
        self.day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// The number of days since 1970-01-01.
    public var daysSinceEpoch: Int64 {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let era = shiftedYear.flooredQuotient(400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * Int64(month > 2 ? month - 3 : month + 9) + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Midnight UTC.
    public var startOfDay: Timestamp { Timestamp(milliseconds: daysSinceEpoch * 86_400_000) }

    /// Completed years on `today`. A person born on 29 February has their birthday on 1 March in other years. Negative before
    /// the birth.
    public func age(on today: CivilDate) -> Int {
        let hadBirthday = (today.month, today.day) >= (month, day)
        return today.year - year - (hadBirthday ? 0 : 1)
    }

    /// The same day `years` later, clamped to the years 1…9999. 29 February becomes 1 March in years without one.
    public func adding(years: Int) -> CivilDate {
        let target = min(max(year + years, 1), 9999)
        return CivilDate(year: target, month: month, day: day)
            ?? CivilDate(year: target, month: 3, day: 1) ?? self
    }

    /// Orders by the calendar.
    public static func < (left: Self, right: Self) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}

extension CivilDate: CustomStringConvertible {
    /// `YYYY-MM-DD` (RFC 3339 full-date).
    public var description: String {
        String(decoding: RFC3339.bytes(of: self), as: UTF8.self)
    }

    /// Reads `YYYY-MM-DD`; nil for any other text.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = RFC3339.number(bytes[0..<4]), let month = RFC3339.number(bytes[5..<7]),
            let day = RFC3339.number(bytes[8..<10])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }
}
