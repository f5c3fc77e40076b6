package import SparkCore

/// Ages on one day, from days of birth, without arithmetic on dates.
package final class AgeCalendar: Sendable {
    /// The same without a reference count, for those who keep the calendar: a count that all threads that search raise and lower costs them
    /// half of their speed.
    let table: AgeTable

    package init(today: CivilDate) {
        let latest = UnsafeMutablePointer<UInt16>.allocate(capacity: AgeTable.oldest + 1)
        for age in 0...AgeTable.oldest {
            // Who is born on the day of a year that does not have it is born the day before.
            let year = today.year - age
            let day = CivilDate(year: year, month: today.month, day: today.day) ?? CivilDate(year: year, month: 2, day: 28)
            (latest + age).initialize(to: day.map { BirthDay($0).rawValue } ?? 0)
        }
        self.table = AgeTable(latest: latest, today: BirthDay(today))
    }

    deinit { table.free() }

    /// Completed years; 0 before the birth.
    package func age(_ birth: BirthDay) -> Int { table.age(birth) }

    /// The days of birth of those who are from `youngest` to `oldest` years old; nil when nobody can be.
    package func births(from youngest: Int, through oldest: Int) -> ClosedRange<BirthDay>? {
        table.births(from: youngest, through: oldest)
    }
}

/// See `AgeCalendar`.
struct AgeTable: @unchecked Sendable {  // filled before it is shared, never changed
    static var oldest: Int { 200 }
    /// By age: the latest day of birth of those who are that old.
    private let latest: UnsafePointer<UInt16>
    private let today: BirthDay

    init(latest: UnsafePointer<UInt16>, today: BirthDay) {
        self.latest = latest
        self.today = today
    }

    func free() { latest.deallocate() }

    @inline(__always)
    func age(_ birth: BirthDay) -> Int {
        guard birth < today else { return 0 }
        // Off by one at most, at a birthday.
        var age = min(Self.oldest, Int(today.rawValue - birth.rawValue) * 400 / 146_097)
        if age < Self.oldest, birth.rawValue <= latest[age + 1] { age += 1 }
        if birth.rawValue > latest[age], age > 0 { age -= 1 }
        return age
    }

    func births(from youngest: Int, through oldest: Int) -> ClosedRange<BirthDay>? {
        let last = youngest <= 0 ? today : BirthDay(rawValue: latest[min(youngest, Self.oldest)])
        let next = oldest + 1
        if next <= 0 { return nil }
        let first = next > Self.oldest ? BirthDay(rawValue: 0) : BirthDay(rawValue: latest[next] &+ 1)
        return first <= last ? first...last : nil
    }
}
