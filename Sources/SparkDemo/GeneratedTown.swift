public import SparkCore
public import SparkKit

/// A town of invented people in the cities of the world: a pure function of its size, its seed and the instant at which it is
/// looked at, to the bit the same on every machine.
///
/// Nothing is kept but tables of a few kilobytes; a person is made anew each time, in about a microsecond. Safe to share
/// among threads. People 0..<count are ordered by city, and within a city by place.
public struct GeneratedTown: DemoTown {
    /// More people than fit on a node; a larger count is taken as this one.
    public static let maxCount = 100_000_000

    public let count: Int
    public let seed: UInt64
    public var now: Timestamp { history.now }

    private let vocabulary: DemoVocabulary
    private let settlements: Settlements
    private let temperament = Temperament()
    private let history: History
    private let identifiers: TownIdentifiers
    private let quantiles = RadialQuantiles.exponentialDisc

    /// - Parameters:
    ///   - count: clamped to 0...`maxCount`.
    ///   - seed: another seed, other people.
    ///   - now: all births, arrivals and last visits lie before it.
    public init(count: Int, seed: UInt64, now: Timestamp) {
        self.count = min(max(0, count), Self.maxCount)
        self.seed = seed
        vocabulary = .embedded
        settlements = Settlements(count: self.count, cities: vocabulary.cities)
        history = History(now: now)
        identifiers = TownIdentifiers(count: self.count, seed: seed, now: now)
    }

    /// Strictly increasing with the index, in the form of the server's own identifiers and older than those it gives from now on.
    public func id(_ index: Int) -> UserID { identifiers.id(index) }

    /// - Precondition: 0 ≤ index < `count`; so for `neighbours(of:)`.
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

    public func neighbours(of index: Int) -> Range<Int> { settlements.settlement(of: index).people }

    /// `person1@demo.invalid` for index 0; the top-level domain can never receive mail (RFC 2606).
    private static func email(_ index: Int) -> String {
        var email = ""
        email.reserveCapacity(32)
        email += "person"
        email += String(index + 1)
        email += "@demo.invalid"
        return email
    }
}
