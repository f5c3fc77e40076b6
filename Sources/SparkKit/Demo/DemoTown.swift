public import SparkCore

/// One invented person.
public struct DemoPerson: Sendable {
    public let id: UserID
    public let email: String
    public let name: String
    public let birthDate: CivilDate
    public let gender: Gender
    public let preferences: Preferences
    public let visibility: Visibility
    public let about: String
    public let interests: [String]
    /// Where the person would be; Profiles snaps it like every other place.
    public let place: Coordinate
    public let createdAt: Timestamp
    public let lastActiveAt: Timestamp

    public init(
        id: UserID, email: String, name: String, birthDate: CivilDate, gender: Gender, preferences: Preferences,
        visibility: Visibility, about: String, interests: [String], place: Coordinate, createdAt: Timestamp,
        lastActiveAt: Timestamp
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.birthDate = birthDate
        self.gender = gender
        self.preferences = preferences
        self.visibility = visibility
        self.about = about
        self.interests = interests
        self.place = place
        self.createdAt = createdAt
        self.lastActiveAt = lastActiveAt
    }
}

/// A town of invented people: a pure function of its seed, so nothing of it needs to be kept.
public protocol DemoTown: Sendable {
    /// People 0..<count. Neighbours in number are neighbours in place.
    var count: Int { get }
    var seed: UInt64 { get }
    /// The instant at which the town is looked at; all its past lies before.
    var now: Timestamp { get }
    func person(_ index: Int) -> DemoPerson
    /// The same as `person(index).id`, cheaply.
    func id(_ index: Int) -> UserID
    /// The numbers of those who live in the same city.
    func neighbours(of index: Int) -> Range<Int>
}

/// Told by a loader how far it is.
public struct DemoProgress: Sendable {
    /// Loaded so many people.
    public let report: @Sendable (Int) -> Void
    public init(report: @escaping @Sendable (Int) -> Void) { self.report = report }
}
