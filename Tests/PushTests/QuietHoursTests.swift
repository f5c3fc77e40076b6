import SparkCore
import Testing

@testable import SparkPush

@Suite struct QuietHoursTests {
    /// 2026-03-01T00:00:00Z.
    private static let midnight = Timestamp(milliseconds: 1_772_323_200_000)

    @Test(arguments: [
        ("22:00", "07:00", 23 * 60, 8 * 60), ("22:00", "07:00", 3 * 60, 4 * 60), ("22:00", "07:00", 7 * 60, -1),
        ("22:00", "07:00", 12 * 60, -1), ("22:00", "07:00", 22 * 60, 9 * 60), ("13:00", "15:00", 14 * 60, 60),
        ("13:00", "15:00", 15 * 60, -1), ("00:00", "23:59", 1, 23 * 60 + 58),
    ])
    func theyEndWhereTheWallClockSays(from: String, until: String, minute: Int, left: Int) throws {
        let hours = QuietHours(from: try #require(QuietHours.minute(from)), until: try #require(QuietHours.minute(until)))
        let now = Self.midnight + .minutes(minute) + .seconds(13)
        let end = hours.end(at: now, in: LocalTime("UTC"))
        #expect(end == (left < 0 ? nil : Self.midnight + .minutes(minute + left)))
    }

    @Test func theyAreThoseOfThePersonsTimeZone() {
        let hours = QuietHours(from: 22 * 60, until: 7 * 60)
        // 13:30 in London is 22:30 in Tokyo.
        let now = Self.midnight + .minutes(13 * 60 + 30)
        #expect(hours.end(at: now, in: LocalTime("Europe/London")) == nil)
        #expect(hours.end(at: now, in: LocalTime("Asia/Tokyo")) == Self.midnight + .hours(22))
    }

    @Test func theNightInWhichTheClockIsPutForwardIsAnHourShorter() {
        let hours = QuietHours(from: 22 * 60, until: 7 * 60)
        // 2026-03-28T23:00:00 in Paris (UTC+1); at 02:00 it becomes 03:00.
        let now = Timestamp(milliseconds: 1_774_735_200_000)
        #expect(hours.end(at: now, in: LocalTime("Europe/Paris")) == now + .hours(7))
    }

    @Test(arguments: ["24:00", "7:00", "12:60", "ab:cd", "", "12-00", "１２:00"])
    func whatIsNoTimeIsRefused(text: String) {
        #expect(QuietHours.minute(text) == nil)
    }

    @Test func zonesThatDoNotExistAreNotKnown() {
        #expect(LocalTime.known("Europe/Paris") == "Europe/Paris")
        #expect(LocalTime.known("Mars/Olympus") == nil)
        #expect(LocalTime.known("../../etc/passwd") == nil)
    }
}
