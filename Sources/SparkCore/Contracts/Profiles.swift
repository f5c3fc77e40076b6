/// A gender. The store holds the raw values.
public enum Gender: UInt8, Hashable, WireWord {
    case woman = 0
    case man = 1
    case nonbinary = 2

    /// The word on the wire.
    public var wire: String {
        switch self {
        case .woman: "woman"
        case .man: "man"
        case .nonbinary: "nonbinary"
        }
    }

    /// One sentence for the OpenAPI document.
    public static let summary = "A gender."
}

/// A set of genders. Bit n represents the gender with the raw value n.
public struct GenderSet: OptionSet, Hashable, Sendable {
    /// One bit for each gender.
    public let rawValue: UInt8
    /// A set from its bits; bits without a gender are dropped.
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0b111 }

    /// All genders.
    public static let everyone = GenderSet(rawValue: 0b111)

    /// The set of some genders.
    public init(_ genders: some Sequence<Gender>) {
        self.init(rawValue: genders.reduce(0) { $0 | 1 << $1.rawValue })
    }

    /// True if the set contains the gender.
    public func contains(_ gender: Gender) -> Bool { rawValue >> gender.rawValue & 1 == 1 }

    /// The genders in the set, in the order of their raw values.
    public var genders: [Gender] { Gender.allCases.filter(contains) }
}

/// The people that a person wants to meet.
public struct Preferences: Hashable, Sendable {
    /// The genders that the person wants to meet.
    public var interestedIn: GenderSet
    /// The lowest age in years, 18…120, inclusive.
    public var minAge: Int
    /// The highest age in years, 18…120, inclusive.
    public var maxAge: Int
    /// The greatest distance, 1…20,000 km.
    public var maxDistanceKilometres: Int
    /// True if the age limit is hard. Hard limits always apply; soft limits are relaxed when the deck runs out of candidates.
    public var isAgeHard: Bool
    /// True if the distance limit is hard.
    public var isDistanceHard: Bool

    /// Creates preferences.
    public init(
        interestedIn: GenderSet, minAge: Int, maxAge: Int, maxDistanceKilometres: Int, isAgeHard: Bool, isDistanceHard: Bool
    ) {
        self.interestedIn = interestedIn
        self.minAge = minAge
        self.maxAge = maxAge
        self.maxDistanceKilometres = maxDistanceKilometres
        self.isAgeHard = isAgeHard
        self.isDistanceHard = isDistanceHard
    }
}

extension Preferences {
    /// Whether a candidate is within the hard limits: of a wanted gender, and within the age and distance limits that are hard.
    /// - Parameter distance: The distance between the published places; nil if one of them is unknown, which no limit excludes.
    public func hardLimitsAdmit(gender: Gender, age: Int, distance: Distance?) -> Bool {
        guard interestedIn.contains(gender) else { return false }
        if isAgeHard, age < minAge || age > maxAge { return false }
        if isDistanceHard, let distance, distance > .kilometres(maxDistanceKilometres) { return false }
        return true
    }
}

/// How much of a person other people may see.
public struct Visibility: Hashable, Sendable {
    /// The person is in no deck.
    public var isPaused: Bool
    /// The person is visible only to people they liked.
    public var isIncognito: Bool
    /// No answer contains the distance. Filters and order use a cell of the size of a town.
    public var hidesDistance: Bool

    /// Creates settings; by default everything is visible.
    public init(isPaused: Bool = false, isIncognito: Bool = false, hidesDistance: Bool = false) {
        self.isPaused = isPaused
        self.isIncognito = isIncognito
        self.hidesDistance = hidesDistance
    }
}

/// A person as the modules see them. It contains no coordinate finer than the published cell.
public struct Profile: Sendable {
    /// The user's identifier.
    public let id: UserID
    /// The display name.
    public var name: String
    /// The date of birth, which decides the age.
    public var birthDate: CivilDate
    /// The person's gender.
    public var gender: Gender
    /// The profile text.
    public var about: String
    /// The interests.
    public var interests: [String]
    /// The people that the person wants to meet.
    public var preferences: Preferences
    /// How much other people may see.
    public var visibility: Visibility
    /// The snapped place that all calculations use, coarser if the distance is hidden; nil before the first location.
    public var place: Coordinate?
    /// When the person was last active.
    public var lastActiveAt: Timestamp
    /// When the person registered.
    public var createdAt: Timestamp
    /// True while the account is closed or suspended.
    public var isClosed: Bool
    /// Increases with every change.
    public var version: Int64

    /// Creates a profile.
    public init(
        id: UserID, name: String, birthDate: CivilDate, gender: Gender, about: String, interests: [String],
        preferences: Preferences, visibility: Visibility, place: Coordinate?, lastActiveAt: Timestamp, createdAt: Timestamp,
        isClosed: Bool, version: Int64
    ) {
        self.id = id
        self.name = name
        self.birthDate = birthDate
        self.gender = gender
        self.about = about
        self.interests = interests
        self.preferences = preferences
        self.visibility = visibility
        self.place = place
        self.lastActiveAt = lastActiveAt
        self.createdAt = createdAt
        self.isClosed = isClosed
        self.version = version
    }
}

extension Profile {
    /// True if each of two people is within the other's hard limits.
    public func isWithinHardLimits(of other: Profile, on today: CivilDate) -> Bool {
        var distance: Distance?
        if let place, let there = other.place { distance = place.distance(to: there) }
        return preferences.hardLimitsAdmit(gender: other.gender, age: other.birthDate.age(on: today), distance: distance)
            && other.preferences.hardLimitsAdmit(gender: gender, age: birthDate.age(on: today), distance: distance)
    }
}

/// Port of Profiles: reads profiles.
public protocol ProfileReading: Sendable {
    /// The profile, also of a closed account; nil if the user does not exist.
    func writtenProfile(of user: UserID) async throws -> WrittenProfile?
    /// The profiles of the given users in the given order. Missing and closed accounts are left out.
    func profiles(of users: [UserID]) async throws -> [WrittenProfile]
}

extension ProfileReading {
    /// The profile, also of a closed account; nil if the user does not exist.
    public func profile(of user: UserID) async throws -> Profile? { try await writtenProfile(of: user)?.profile }
}

/// The short view of a person that decks, matches and likes show.
public struct ProfileCard: JSONObject {
    /// The maximum length of a card's `bio`, in characters.
    public static let bioLength = 140
    /// The shortest distance that a card shows, in kilometres.
    public static let distanceFloorKilometres = 2

    private let person: WrittenProfile
    /// The age in years.
    public let age: Int
    /// Whole kilometres between the snapped places; nil if unknown or hidden.
    public let distanceKilometres: Int?

    /// The user's identifier.
    public var id: UserID { person.id }

    /// Creates the card that a viewer sees.
    /// - Parameters:
    ///   - viewerPlace: The viewer's published place, if known.
    ///   - today: The day that the age is calculated for.
    public init(_ person: WrittenProfile, viewerPlace: Coordinate?, today: CivilDate) {
        self.person = person
        self.age = person.profile.birthDate.age(on: today)
        if let viewerPlace, let place = person.profile.place, !person.profile.visibility.hidesDistance {
            let kilometres = (viewerPlace.distance(to: place).metres / 1_000).rounded()
            self.distanceKilometres = max(Self.distanceFloorKilometres, Int(kilometres))
        } else {
            self.distanceKilometres = nil
        }
    }

    /// The fields of a card.
    public static let fields = Fields<ProfileCard>("Card", "The short view of a person.") {
        Field(writtenMembersOf: \.person.head)
        Field("age", \.age, .integer.example(31), "The age in years.")
        Field(
            "distance_km", \.distanceKilometres, .nullable(.integer.example(4)),
            "Whole kilometres; null if unknown or hidden.")
        Field(writtenMembersOf: \.person.text)
    }
}

extension FieldType where Value == String {
    /// The name of a person. This is its only rule, wherever a name is read.
    public static var personName: FieldType { .text(.name).example("Ada") }
    /// The address of a photo.
    public static var photo: FieldType { .string.named("Photo", "The address of a photo.").example(.null) }
    /// One of a person's interests. Its normal form, in lower case, is read.
    public static var interest: FieldType {
        let format = "1 to 30 visible characters on one line"
        return FieldType(
            .string(1...30), format: format, parse: { try? TextRule.interest.normalised($0.lowercased()) }, text: { $0 }
        ).named("Interest", "One of a person's interests.").example("climbing")
    }
}

extension FieldType where Value == GenderSet {
    /// One to three genders.
    /// - Parameter format: What each is expected to be, for the violation.
    public static func genders(format: String = "a gender") -> FieldType {
        FieldType<[Gender]>.distinctList(.word(format: format), 1...3).map(from: { GenderSet($0) }, to: \.genders)
    }
}

/// Contribution that Profiles opens: decides whether a person may see another person at all. One refusal is enough. The answer
/// is then the same 404 as for a user who does not exist.
public protocol ProfileVisibilityPolicy: Sendable {
    /// True if the viewer may see the profile.
    func maySee(_ profile: Profile, viewer: UserID) async throws -> Bool
    /// True if the viewer sees the distance even when one of the two is outside the other's hard limits. One module's consent
    /// is enough.
    func showsDistanceBeyondLimits(of profile: Profile, to viewer: UserID) async throws -> Bool
}

extension ProfileVisibilityPolicy {
    /// False.
    public func showsDistanceBeyondLimits(of profile: Profile, to viewer: UserID) async throws -> Bool { false }
}

/// Contribution that Profiles opens: decides whether a text may be shown to everybody. It runs for every new name, profile text
/// and interest, also at registration, on the writer's thread, so it must be short and do no I/O.
public protocol ProfileTextPolicy: Sendable {
    /// True if the text may be shown.
    func maySay(_ text: String) -> Bool
}

/// A person's profile changed in any part but the location.
public struct ProfileChanged: SparkEvent {
    /// `profiles.profile_changed`.
    public static let name = "profiles.profile_changed"
    /// The user.
    public let user: UserID
    /// The current gender.
    public let gender: Gender
    /// The published place; nil before the first location.
    public let place: Coordinate?
    /// True if the change may bring the person into decks or closer to the front of them. False for a new text and for a person
    /// who becomes hidden: decks drop them by their version.
    public let mayEnterDecks: Bool

    /// Creates the event.
    public init(user: UserID, gender: Gender, place: Coordinate?, mayEnterDecks: Bool) {
        self.user = user
        self.gender = gender
        self.place = place
        self.mayEnterDecks = mayEnterDecks
    }
}

/// A person moved to another cell, or to another published place.
public struct LocationChanged: SparkEvent {
    /// `profiles.location_changed`.
    public static let name = "profiles.location_changed"
    /// The user.
    public let user: UserID
    /// The current gender.
    public let gender: Gender
    /// The previous published place; nil if this is the first one.
    public let from: Coordinate?
    /// The current published place.
    public let to: Coordinate?

    /// Creates the event.
    public init(user: UserID, gender: Gender, from: Coordinate?, to: Coordinate?) {
        self.user = user
        self.gender = gender
        self.from = from
        self.to = to
    }
}

/// The port by which the server tells Profiles that a person is active.
public protocol ActivityRecording: Sendable {
    /// Records that a person is active; called for every authenticated request. Returns at once. The store has the activity within
    /// moments.
    func recordActivity(of user: UserID)
    /// The `limit` most recently active people with open accounts. Reads all people.
    func lastActive(_ limit: Int) async throws -> [UserID]
}

/// The last activity of some people. Events are batched: at most one a second, and each person at most once in ten minutes. The
/// event changes no profile version.
public struct ActivityRecorded: SparkEvent {
    /// `profiles.activity_recorded`.
    public static let name = "profiles.activity_recorded"
    /// The people and the times of their last activity.
    public let people: [(user: UserID, at: Timestamp)]
    /// Creates the event.
    public init(people: [(user: UserID, at: Timestamp)]) { self.people = people }
}
