import SparkCore
import SparkDemo
import SparkKit

/// The crowd of a scenario: people of a generated town, all around one place.
struct ScenarioTown: DemoTown {
    private static let kilometresPerDegree = 111.195

    private let town: GeneratedTown
    private let place: Scenario.Place
    private let radius: Double
    private let hasSwipes: Bool

    init(_ description: Scenario.Town, now: Timestamp) {
        town = GeneratedTown(count: description.people, seed: description.seed, now: now)
        place = description.place
        radius = description.radiusKilometres
        hasSwipes = description.hasSwipes
    }

    var count: Int { town.count }
    var seed: UInt64 { town.seed }
    var now: Timestamp { town.now }

    func id(_ index: Int) -> UserID { town.id(index) }

    func person(_ index: Int) -> DemoPerson {
        let person = town.person(index)
        return DemoPerson(
            id: person.id, email: person.email, name: person.name, birthDate: person.birthDate, gender: person.gender,
            preferences: person.preferences, visibility: person.visibility, about: person.about, interests: person.interests,
            place: home(of: index) ?? person.place, createdAt: person.createdAt, lastActiveAt: person.lastActiveAt)
    }

    /// Everybody lives in one city. Without swipes nobody has a neighbour to swipe on.
    func neighbours(of index: Int) -> Range<Int> { hasSwipes ? 0..<count : index..<(index + 1) }

    /// A point in the square around the place, a function of the seed and the index.
    private func home(of index: Int) -> Coordinate? {
        let north = SplitMix64.mix(seed &+ UInt64(index) &* 2)
        let east = SplitMix64.mix(seed &+ UInt64(index) &* 2 &+ 1)
        func part(_ bits: UInt64) -> Double { Double(bits >> 11) / Double(1 << 53) * 2 - 1 }
        let latitude = place.latitude + part(north) * radius / Self.kilometresPerDegree
        // Degrees of longitude shrink towards the poles; a square root is the same on every machine.
        let cosine = max(0.05, (1 - (place.latitude / 90) * (place.latitude / 90)).squareRoot())
        let longitude = place.longitude + part(east) * radius / (Self.kilometresPerDegree * cosine)
        return Coordinate(latitude: min(max(latitude, -90), 90), longitude: longitude > 180 ? longitude - 360 : longitude)
    }
}
