package import SparkCore

/// Ages on one day, from days of birth, without arithmetic on dates.
package struct AgeCalendar: Sendable {
    private static let oldest = 200
    /// By age: the latest day of birth of those who are that old.
    private let latest: [BirthDay]
    private let today: BirthDay

    package init(today: CivilDate) {
        self.today = BirthDay(today)
        self.latest = (0...Self.oldest).map { age in
            // Who is born on the day of a year that does not have it is born the day before.
            let year = today.year - age
            let day = CivilDate(year: year, month: today.month, day: today.day) ?? CivilDate(year: year, month: 2, day: 28)
            return day.map(BirthDay.init) ?? BirthDay(rawValue: 0)
        }
    }

    /// Completed years; 0 before the birth.
    @inline(__always)
    package func age(_ birth: BirthDay) -> Int {
        guard birth < today else { return 0 }
        // Off by one at most, at a birthday.
        var age = min(Self.oldest, Int(today.rawValue - birth.rawValue) * 400 / 146_097)
        if age < Self.oldest, birth <= latest[age + 1] { age += 1 }
        if birth > latest[age], age > 0 { age -= 1 }
        return age
    }

    /// The days of birth of those who are from `youngest` to `oldest` years old; nil when nobody can be.
    package func births(from youngest: Int, through oldest: Int) -> ClosedRange<BirthDay>? {
        let last = youngest <= 0 ? today : latest[min(youngest, Self.oldest)]
        let next = oldest + 1
        if next <= 0 { return nil }
        let first = next > Self.oldest ? BirthDay(rawValue: 0) : BirthDay(rawValue: latest[next].rawValue &+ 1)
        return first <= last ? first...last : nil
    }
}
