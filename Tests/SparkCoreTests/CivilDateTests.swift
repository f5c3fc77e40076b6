import SparkCore
import Testing

@Suite("Days")
struct CivilDateTests {
    @Test("four centuries of days follow each other without gap or repetition")
    func everyDay() throws {
        var (year, month, day) = (1799, 12, 31)
        let first = try #require(CivilDate(year: year, month: month, day: day)).daysSinceEpoch
        for offset in 0..<146_097 {
            let date = CivilDate(daysSinceEpoch: first + Int64(offset))
            guard (date.year, date.month, date.day) == (year, month, day), date.daysSinceEpoch == first + Int64(offset) else {
                Issue.record("\(date) instead of \(year)-\(month)-\(day)")
                return
            }
            if CivilDate(year: year, month: month, day: day + 1) != nil {
                day += 1
            } else if month < 12 {
                (month, day) = (month + 1, 1)
            } else {
                (year, month, day) = (year + 1, 1, 1)
            }
        }
    }

    @Test("numbers of days make the round trip over all years")
    func roundTrip() {
        withSeed("days") { random, comment in
            for _ in 0..<100_000 {
                let number = Int64.random(in: -719_162...2_932_896, using: &random)
                #expect(CivilDate(daysSinceEpoch: number).daysSinceEpoch == number, comment)
            }
        }
        #expect(CivilDate(daysSinceEpoch: .min).description == "0001-01-01")
        #expect(CivilDate(daysSinceEpoch: .max).description == "9999-12-31")
        #expect(CivilDate(daysSinceEpoch: 0).description == "1970-01-01")
    }

    @Test(
        "days that do not exist are refused",
        arguments: [
            "2026-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "0000-01-01", "2026-1-1",
            "26-01-01", "2026/01/01", "2026-01-01T", " 2026-01-1", "+026-01-01", "2026-01-0１", "", "２０２６-01-01", "-001-01-01",
        ])
    func invalid(text: String) {
        #expect(CivilDate(text) == nil)
    }

    @Test("texts make the round trip")
    func texts() {
        for text in ["2000-02-29", "1996-12-31", "9999-12-31", "0001-01-01", "2026-03-01"] {
            #expect(CivilDate(text)?.description == text)
        }
    }

    @Test("a person born on a leap day is a year older on 1 March")
    func leapDay() throws {
        let birth = try #require(CivilDate(year: 2008, month: 2, day: 29))
        func age(_ text: String) throws -> Int { birth.age(on: try #require(CivilDate(text))) }
        #expect(try age("2026-02-28") == 17)
        #expect(try age("2026-03-01") == 18)
        #expect(try age("2028-02-28") == 19)
        #expect(try age("2028-02-29") == 20)
        #expect(try age("2008-02-29") == 0)
        #expect(try age("2008-02-28") == -1)
        #expect(birth.adding(years: 18).description == "2026-03-01")
        #expect(birth.adding(years: 20).description == "2028-02-29")
        #expect(birth.adding(years: 100_000).year == 9999)
        #expect(birth.adding(years: -100_000).year == 1)
    }

    @Test("age is what adding years says")
    func agesAgree() {
        withSeed("ages") { random, comment in
            for _ in 0..<20_000 {
                let birth = CivilDate(daysSinceEpoch: Int64.random(in: -20_000...10_000, using: &random))
                let today = CivilDate(daysSinceEpoch: Int64.random(in: 10_000...40_000, using: &random))
                let age = birth.age(on: today)
                #expect(birth.adding(years: age) <= today && today < birth.adding(years: age + 1), comment)
            }
        }
    }
}
