import SparkCore

/// When people were born, came to town and were last seen, looked at from one instant.
struct History: Sendable {
    /// How far back the first of them came.
    static let span = Duration.days(400)
    /// Who was not seen for so long counts as gone.
    static let absence = Duration.days(30)

    private static let millisecondsPerDay = 86_400_000.0
    private static let daysPerYear = 365.2425
    /// The oldest is 75, and with ages from 18 on that is so many years more.
    private static let yearsOfAdulthood = 57.99

    let now: Timestamp
    let today: CivilDate
    /// The day of birth of who turns 18 today.
    let latestBirthDay: Int64

    init(now: Timestamp) {
        self.now = now
        today = now.date
        var day = today.adding(years: -18).daysSinceEpoch
        // On 29 February the same day 18 years ago was 1 March, whose children are still 17.
        while CivilDate(daysSinceEpoch: day).age(on: today) < 18 { day -= 1 }
        latestBirthDay = day
    }

    /// An adult's: half of them are younger than 30, most are in their twenties, one in six is spread evenly up to 75.
    func birthDate(_ draw: inout Draw) -> CivilDate {
        var years: Double
        repeat {
            years =
                draw.below(6) == 0
                ? draw.fraction() * Self.yearsOfAdulthood : (draw.exponential() + draw.exponential()) * 5.5
        } while years >= Self.yearsOfAdulthood
        return CivilDate(daysSinceEpoch: latestBirthDay - Int64(years * Self.daysPerYear))
    }

    /// Evenly within `span` before now.
    func createdAt(_ draw: inout Draw) -> Timestamp {
        Timestamp(milliseconds: now.milliseconds - Int64(draw.below(Int(Self.span.milliseconds))))
    }

    /// Half of the people were here within a day, with exponential decay; 8 in 100 stayed away for more than `absence`.
    /// Never before they came.
    func lastActiveAt(createdAt: Timestamp, draw: inout Draw) -> Timestamp {
        let latestAbsence = now - Self.absence
        // 87 ‰ of those who came before that are the 8 % of all.
        if createdAt < latestAbsence, draw.happens(perMille: 87) {
            let longest = Int(latestAbsence.milliseconds - createdAt.milliseconds)
            return Timestamp(milliseconds: latestAbsence.milliseconds - 1 - Int64(draw.below(longest)))
        }
        // Divided by ln 2, the mean of an exponential distribution becomes its median.
        let milliseconds = draw.exponential() / 0.693_147_180_559_945_3 * Self.millisecondsPerDay
        return max(createdAt, Timestamp(milliseconds: now.milliseconds - Int64(milliseconds)))
    }
}
