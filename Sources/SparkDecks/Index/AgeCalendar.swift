package import SparkCore

/// Computes ages on one day from days of birth, without date arithmetic.
package final class AgeCalendar: Sendable {
    /// The table without a reference count, for searches that keep the calendar alive. A count that all searching threads update
    /// would halve their speed.
    let table: AgeTable

    /// The calendar of one day.
    package init(today: CivilDate) {
        let latest = UnsafeMutablePointer<UInt16>.allocate(capacity: AgeTable.oldest + 1)
        for age in 0...AgeTable.oldest {
            // On 29 February, years without that day use 28 February.
            let year = today.year - age
            let day = CivilDate(year: year, month: today.month, day: today.day) ?? CivilDate(year: year, month: 2, day: 28)
            (latest + age).initialize(to: day.map { BirthDay($0).rawValue } ?? 0)
        }
        self.table = AgeTable(latest: latest, today: BirthDay(today))
    }

    deinit { table.free() }

    /// Completed years; 0 before the birth.
    package func age(_ birth: BirthDay) -> Int { table.age(birth) }

    /// The days of birth of people aged `youngest` to `oldest`; nil if there are none.
    package func births(from youngest: Int, through oldest: Int) -> ClosedRange<BirthDay>? {
        table.births(from: youngest, through: oldest)
    }
}

/// The data of `AgeCalendar`.
struct AgeTable: @unchecked Sendable {  // filled before it is shared, never changed
    static var oldest: Int { 200 }
    /// For each age, the latest day of birth of people of that age.
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
        // The estimate is off by at most one, near a birthday.
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
