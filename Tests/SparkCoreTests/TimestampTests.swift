import SparkCore
import Testing

@Suite("Instants")
struct TimestampTests {
    @Test("texts are RFC 3339 with milliseconds")
    func texts() {
        #expect(Timestamp(milliseconds: 0).description == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: -1).description == "1969-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: 951_782_399_999).description == "2000-02-28T23:59:59.999Z")
        #expect(Timestamp(milliseconds: 951_782_400_000).description == "2000-02-29T00:00:00.000Z")
    }

    @Test("instants outside every calendar are written without a trap", arguments: [Int64.min, .min + 1, .max, .max - 1])
    func extremes(milliseconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).description.count == 24)
        _ = Timestamp(milliseconds: milliseconds).date
        _ = Timestamp(milliseconds: milliseconds) + .days(1)
        _ = Timestamp(milliseconds: milliseconds) - Timestamp(milliseconds: 1 << 40)
    }

    @Test("the day of an instant is the one in its text")
    func days() {
        withSeed("instants") { random, comment in
            for _ in 0..<20_000 {
                let instant = Timestamp(milliseconds: Int64.random(in: -10_000_000_000_000...100_000_000_000_000, using: &random))
                #expect(instant.description.hasPrefix(instant.date.description), comment)
                #expect(instant.date.startOfDay <= instant && instant - instant.date.startOfDay < .days(1), comment)
            }
        }
    }

    @Test("Retry-After is rounded up and never negative")
    func roundedUp() {
        #expect(Duration.milliseconds(1).roundedUpSeconds == 1)
        #expect(Duration.milliseconds(1_000).roundedUpSeconds == 1)
        #expect(Duration.milliseconds(1_001).roundedUpSeconds == 2)
        #expect(Duration.zero.roundedUpSeconds == 0)
        #expect(Duration.seconds(-5).roundedUpSeconds == 0)
    }

    @Test("durations saturate")
    func saturation() {
        #expect(Duration.seconds(Int64.max).milliseconds == .max)
        #expect(Duration.seconds(Int64.min).milliseconds == .min)
        #expect(Duration.seconds(90).inSeconds == 90)
        #expect(Duration.milliseconds(1_500).milliseconds == 1_500)
    }

    @Test("a manual clock moves only when it is advanced")
    func manualClock() {
        let clock = ManualClock(Timestamp(milliseconds: 5))
        #expect(clock.now() == clock.now())
        clock.advance(by: .milliseconds(7))
        #expect(clock.now() == Timestamp(milliseconds: 12))
    }

    @Test(
        "a time of RFC 3339 is read",
        arguments: [
            ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000Z"), ("2026-03-01t09:30:00.25z", "2026-03-01T09:30:00.250Z"),
            ("2026-03-01T09:30:00.123999999Z", "2026-03-01T09:30:00.123Z"),
            ("2026-03-01T00:30:00+01:30", "2026-02-28T23:00:00.000Z"), ("2026-12-31T23:00:00-02:00", "2027-01-01T01:00:00.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ])
    func reading(_ text: String, _ expected: String) { #expect(Timestamp(text)?.description == expected) }

    @Test(
        "any other text is no time",
        arguments: [
            "", "2026-03-01", "2026-03-01T09:30:00", "2026-03-01 09:30:00Z", "2026-02-30T09:30:00Z", "2026-03-01T24:00:00Z",
            "2026-03-01T09:60:00Z", "2026-03-01T09:30:60Z", "2026-03-01T09:30:00.Z", "2026-03-01T09:30:00.1234567890Z",
            "2026-03-01T09:30:00+1:00", "2026-03-01T09:30:00+24:00", "2026-03-01T09:30:00ZZ", "2026-03-01T09:30:00.5+",
            "2026-03-01T09:30:0éZ", "+026-03-01T09:30:00Z",
        ])
    func refused(_ text: String) { #expect(Timestamp(text) == nil) }
}
