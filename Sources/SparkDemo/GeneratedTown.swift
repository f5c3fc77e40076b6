public import SparkCore
public import SparkKit

/// A town of fictional people in the world's cities. It is a pure function of its size, its seed and the current time, with
/// identical bits on every machine.
///
/// Stores only tables of a few kilobytes; a person is computed on each call, in about a microsecond. Safe to share among
/// threads. People 0..<count are ordered by city, and by place within a city.
public struct GeneratedTown: DemoTown {
    /// The maximum size, more than fits on a node; larger counts are clamped.
    public static let maxCount = 100_000_000

    /// The number of people.
    public let count: Int
    /// The seed of all random choices.
    public let seed: UInt64
    /// The instant relative to which people were born, registered and last active.
    public var now: Timestamp { history.now }

    private let vocabulary: DemoVocabulary
    private let settlements: Settlements
    private let temperament = Temperament()
    private let history: History
    private let identifiers: TownIdentifiers
    private let quantiles = RadialQuantiles.exponentialDisc

    /// - Parameters:
    ///   - count: clamped to 0...`maxCount`.
    ///   - seed: a different seed gives different people.
    ///   - now: all births, registrations and last visits are before it.
    public init(count: Int, seed: UInt64, now: Timestamp) {
        self.count = min(max(0, count), Self.maxCount)
        self.seed = seed
        vocabulary = .embedded
        settlements = Settlements(count: self.count, cities: vocabulary.cities)
        history = History(now: now)
        identifiers = TownIdentifiers(count: self.count, seed: seed, now: now)
    }

    /// Strictly increases with the index. Has the format of the server's identifiers and is older than every new one.
    public func id(_ index: Int) -> UserID { identifiers.id(index) }

    /// - Precondition: 0 ≤ index < `count`.
    public func person(_ index: Int) -> DemoPerson {
        let settlement = settlements.settlement(of: index)
        var draw = Draw(seed: seed, stream: UInt64(index))
        let gender = temperament.gender(&draw)
        let name = draw.one(of: vocabulary.names[Int(gender.rawValue)])
        let birthDate = history.birthDate(&draw)
        let preferences = temperament.preferences(gender: gender, age: birthDate.age(on: history.today), draw: &draw)
        let visibility = temperament.visibility(&draw)
        let description = SelfDescription(vocabulary: vocabulary, draw: &draw)
        let place = settlement.place(of: index, quantiles: quantiles, draw: &draw)
        let createdAt = history.createdAt(&draw)
        return DemoPerson(
            id: identifiers.id(index), email: Self.email(index), name: name, birthDate: birthDate, gender: gender,
            preferences: preferences, visibility: visibility, about: description.about,
            interests: description.interests, place: place, createdAt: createdAt,
            lastActiveAt: history.lastActiveAt(createdAt: createdAt, draw: &draw))
    }

    /// The indices of the people in the same city, including `index` itself.
    /// - Precondition: 0 ≤ index < `count`.
    public func neighbours(of index: Int) -> Range<Int> { settlements.settlement(of: index).people }

    /// `person1@demo.invalid` for index 0. The top-level domain never receives mail (RFC 2606).
    private static func email(_ index: Int) -> String {
        var email = ""
        email.reserveCapacity(32)
        email += "person"
        email += String(index + 1)
        email += "@demo.invalid"
        return email
    }
}
