public import SparkCore

/// One invented person of a demo town.
public struct DemoPerson: Sendable {
    /// The user's identifier.
    public let id: UserID
    /// The login address.
    public let email: String
    /// The display name.
    public let name: String
    /// The date of birth.
    public let birthDate: CivilDate
    /// The person's gender.
    public let gender: Gender
    /// The people that the person wants to meet.
    public let preferences: Preferences
    /// How much of the profile other people may see.
    public let visibility: Visibility
    /// The profile text.
    public let about: String
    /// The interests.
    public let interests: [String]
    /// The person's exact place. Profiles snaps it to its grid like every other place.
    public let place: Coordinate
    /// When the person registered.
    public let createdAt: Timestamp
    /// When the person was last active.
    public let lastActiveAt: Timestamp

    /// Creates a person.
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

/// A town of invented people. A town is a pure function of its seed, so none of it needs to be stored.
public protocol DemoTown: Sendable {
    /// The number of people; their indices are 0..<count. People with neighbouring indices live near each other.
    var count: Int { get }
    /// The seed that the town is derived from.
    var seed: UInt64 { get }
    /// The present of the town; everything in it happened before.
    var now: Timestamp { get }
    /// The person with an index.
    func person(_ index: Int) -> DemoPerson
    /// The identifier of a person, without building the rest of the person.
    func id(_ index: Int) -> UserID
    /// The indices of the people in the same city.
    func neighbours(of index: Int) -> Range<Int>
}

/// Reports how far a loader has come.
public struct DemoProgress: Sendable {
    /// Call it with the number of people loaded so far.
    public let report: @Sendable (Int) -> Void
    /// Creates a progress report.
    public init(report: @escaping @Sendable (Int) -> Void) { self.report = report }
}
