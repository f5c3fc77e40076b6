import Foundation
import SparkCore
import SparkDecks

/// Invented people for the benchmark of matching: 200 cities by Zipf's law, their centres dense (at a million people the largest has about a
/// sixth of them, most within ten kilometres), everywhere else empty.
struct Crowd: Sendable {
    static let now = Timestamp(milliseconds: 1_772_366_400_000)

    private(set) var people = PersonBatch()
    /// The people of each city, the largest first.
    private(set) var cities: [[Int]]

    private struct City {
        let latitude: Double
        let longitude: Double
        /// Standard deviation of the distance from the centre, in kilometres.
        let spread: Double
    }

    /// A function of both numbers.
    init(count: Int, seed: UInt64) {
        var dice = Dice(seed: seed)
        let places = (0..<200).map { number in
            City(
                latitude: dice.fraction() * 110 - 45, longitude: dice.fraction() * 360 - 180,
                spread: number == 0 ? 5 : 4 + 6 * dice.fraction())
        }
        let weights = places.indices.map { 1 / Double($0 + 2) }
        let whole = weights.reduce(0, +)
        var sum = 0.0
        let shares = weights.map { weight -> Double in
            sum += weight / whole
            return sum
        }
        self.cities = Array(repeating: [], count: places.count)
        people.reserve(count)
        let grid = CellGrid(size: .kilometres(1))
        for number in 0..<count {
            let drawn = dice.fraction()
            let city = shares.firstIndex { $0 >= drawn } ?? shares.count - 1
            let (row, interests) = Self.person(number, in: places[city], grid, &dice)
            cities[city].append(number)
            people.append(row, interests: interests)
        }
    }

    private static func person(_ number: Int, in city: City, _ grid: CellGrid, _ dice: inout Dice) -> (PersonRow, [InterestCode])
    {
        let degrees = city.spread / 111.2
        let latitude = min(89, max(-89, city.latitude + normal(&dice) * degrees))
        var longitude = city.longitude + normal(&dice) * degrees / max(0.1, cos(city.latitude * .pi / 180))
        longitude -= (longitude / 360).rounded() * 360
        // In range by construction.
        guard let place = Coordinate(latitude: latitude, longitude: longitude) else {
            return person(number, in: city, grid, &dice)
        }
        let drawn = dice.below(100)
        let gender: Gender = drawn < 47 ? .woman : drawn < 95 ? .man : .nonbinary
        let age = 18 + Int(abs(normal(&dice)) * 11)
        let preferences = Preferences(
            interestedIn: sought(by: gender, &dice), minAge: max(18, age - 3 - dice.below(8)),
            maxAge: min(120, age + 3 + dice.below(8)),
            maxDistanceKilometres: [5, 10, 25, 50, 100, 300][dice.below(6)], isAgeHard: dice.below(2) == 0,
            isDistanceHard: dice.below(2) == 0)
        let birth = now.date.daysSinceEpoch - Int64(age) * 365 - Int64(age / 4) - Int64(dice.below(365))
        let idle = pow(dice.fraction(), 3) * 40 * 86_400
        let row = PersonRow(
            id: UserID(rawValue: Int64(number + 1) << 16 | Int64(dice.below(1 << 16))), birth: BirthDay(daysSinceEpoch: birth),
            gender: gender,
            preferences: preferences, isIncognito: dice.below(50) == 0, hidesDistance: dice.below(20) == 0,
            lastActive: EpochSecond(now - .seconds(Int(idle))),
            place: grid.snap(place), version: 1,
            counts: counts(&dice))
        // From 96 interests, without duplicates.
        let interests = (0..<dice.below(8)).map { InterestCode(rawValue: UInt32($0 * 12 + dice.below(12))) }
        return (row, interests)
    }

    /// Counted today, so scores see yesterday's values.
    static func counts(_ dice: inout Dice) -> DailyCounts {
        let tally = SwipeTally(giving: UInt8(40 + dice.below(100)) / 32, receiving: UInt8(20 + dice.below(150)) / 32)
        return DailyCounts(day: now.dayNumber, tallyBefore: tally, tally: tally, shownBefore: 0, shown: 0)
    }

    private static func sought(by gender: Gender, _ dice: inout Dice) -> GenderSet {
        let drawn = dice.below(100)
        if drawn >= 95 { return GenderSet([.woman, .man]) }
        if drawn >= 90 || drawn < 80 && gender == .nonbinary { return .everyone }
        if drawn >= 80 { return GenderSet([gender]) }
        return GenderSet([gender == .woman ? .man : .woman])
    }

    private static func normal(_ dice: inout Dice) -> Double {
        (-2 * log(max(1e-12, dice.fraction()))).squareRoot() * cos(2 * .pi * dice.fraction())
    }
}
