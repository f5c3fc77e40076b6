import SparkCore

/// When people were born, registered and last active, relative to one instant.
struct History: Sendable {
    /// The longest time since a registration.
    static let span = Duration.days(400)
    /// People who were not active for this long count as gone.
    private static let absence = Duration.days(30)

    private static let millisecondsPerDay = 86_400_000.0
    private static let daysPerYear = 365.2425
    /// The oldest person is 75: 18 years plus this many.
    private static let yearsOfAdulthood = 57.99

    let now: Timestamp
    let today: CivilDate
    /// The birth date of a person who turns 18 today.
    let latestBirthDay: Int64

    init(now: Timestamp) {
        self.now = now
        today = now.date
        var day = today.adding(years: -18).daysSinceEpoch
        // On 29 February, the date 18 years ago becomes 1 March, and people born then are still 17.
        while CivilDate(daysSinceEpoch: day).age(on: today) < 18 { day -= 1 }
        latestBirthDay = day
    }

    /// The birth date of an adult: half of the people are younger than 30, most are in their twenties, one in six is uniform up
    /// to 75.
    func birthDate(_ draw: inout Draw) -> CivilDate {
        var years: Double
        repeat {
            years =
                draw.below(6) == 0
                ? draw.fraction() * Self.yearsOfAdulthood : (draw.exponential() + draw.exponential()) * 5.5
        } while years >= Self.yearsOfAdulthood
        return CivilDate(daysSinceEpoch: latestBirthDay - Int64(years * Self.daysPerYear))
    }

    /// Uniform within `span` before now.
    func createdAt(_ draw: inout Draw) -> Timestamp {
        Timestamp(milliseconds: now.milliseconds - Int64(draw.below(Int(Self.span.milliseconds))))
    }

    /// Half of the people were active within a day, with exponential decay; 8 in 100 were inactive for more than `absence`.
    /// Never before the registration.
    func lastActiveAt(createdAt: Timestamp, draw: inout Draw) -> Timestamp {
        let latestAbsence = now - Self.absence
        // 87 ‰ of the people who registered before that are 8 % of all.
        if createdAt < latestAbsence, draw.happens(perMille: 87) {
            let longest = Int(latestAbsence.milliseconds - createdAt.milliseconds)
            return Timestamp(milliseconds: latestAbsence.milliseconds - 1 - Int64(draw.below(longest)))
        }
        // Dividing by ln 2 makes the mean of the exponential distribution its median.
        let milliseconds = draw.exponential() / 0.693_147_180_559_945_3 * Self.millisecondsPerDay
        return max(createdAt, Timestamp(milliseconds: now.milliseconds - Int64(milliseconds)))
    }
}
