/// A gender on the wire and in the store.
public enum Gender: UInt8, CaseIterable, Hashable, Sendable {
    case woman = 0
    case man = 1
    case nonbinary = 2

    public var wire: String {
        switch self {
        case .woman: "woman"
        case .man: "man"
        case .nonbinary: "nonbinary"
        }
    }

    public init?(wire: String) {
        guard let gender = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = gender
    }

    /// For messages and schemas.
    public static let wireWords = allCases.map(\.wire)
}

/// Some genders; bit n stands for the gender of raw value n.
public struct GenderSet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0b111 }

    public static let everyone = GenderSet(rawValue: 0b111)

    public init(_ genders: some Sequence<Gender>) {
        self.init(rawValue: genders.reduce(0) { $0 | 1 << $1.rawValue })
    }

    public func contains(_ gender: Gender) -> Bool { rawValue >> gender.rawValue & 1 == 1 }

    public var genders: [Gender] { Gender.allCases.filter(contains) }
}

/// Whom a person wants to see.
public struct Preferences: Hashable, Sendable {
    public var interestedIn: GenderSet
    /// Years, 18…120, both ends included.
    public var minAge: Int
    public var maxAge: Int
    /// 1…20,000.
    public var maxDistanceKilometres: Int
    /// A hard limit is never crossed; a soft one gives way when the deck runs dry.
    public var isAgeHard: Bool
    public var isDistanceHard: Bool

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
    /// Whether somebody is within the hard limits: of a gender that is sought, and of an age and at a distance that a hard limit allows.
    /// - Parameter distance: between the published places; nil while one of them is unknown, which no limit excludes.
    public func hardLimitsAdmit(gender: Gender, age: Int, distance: Distance?) -> Bool {
        guard interestedIn.contains(gender) else { return false }
        if isAgeHard, age < minAge || age > maxAge { return false }
        if isDistanceHard, let distance, distance > .kilometres(maxDistanceKilometres) { return false }
        return true
    }
}

/// How much of a person others may see.
public struct Visibility: Hashable, Sendable {
    /// In nobody's deck.
    public var isPaused: Bool
    /// Seen only by those whom this person liked.
    public var isIncognito: Bool
    /// No distance in any answer; filters and order work on a town-sized cell.
    public var hidesDistance: Bool

    public init(isPaused: Bool = false, isIncognito: Bool = false, hidesDistance: Bool = false) {
        self.isPaused = isPaused
        self.isIncognito = isIncognito
        self.hidesDistance = hidesDistance
    }
}

/// A person as the modules know them. Holds no coordinate finer than the published cell.
public struct Profile: Sendable {
    public let id: UserID
    public var name: String
    public var birthDate: CivilDate
    public var gender: Gender
    public var about: String
    public var interests: [String]
    public var preferences: Preferences
    public var visibility: Visibility
    /// The snapped place on which all arithmetic runs (coarser still when the distance is hidden); nil before the first location.
    public var place: Coordinate?
    public var lastActiveAt: Timestamp
    public var createdAt: Timestamp
    public var isClosed: Bool
    /// Rises with every change.
    public var version: Int64

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
    /// Whether each of two people is within the hard limits of the other.
    public func isWithinHardLimits(of other: Profile, on today: CivilDate) -> Bool {
        var distance: Distance?
        if let place, let there = other.place { distance = place.distance(to: there) }
        return preferences.hardLimitsAdmit(gender: other.gender, age: other.birthDate.age(on: today), distance: distance)
            && other.preferences.hardLimitsAdmit(gender: gender, age: birthDate.age(on: today), distance: distance)
    }
}

/// Port of Profiles.
public protocol ProfileReading: Sendable {
    /// The person, closed accounts included; nil when there is none.
    func profile(of user: UserID) async throws -> Profile?
    /// Those of the given people who exist and are not closed, in the order given.
    func profiles(of users: [UserID]) async throws -> [Profile]
}

/// The small view of a person that decks, matches and likes show.
public struct ProfileCard: JSONWritable, SchemaDescribed, Sendable {
    /// The longest `bio` of a card, in characters.
    public static let bioLength = 140
    /// No shorter distance is ever shown.
    public static let distanceFloorKilometres = 2

    public let id: UserID
    public let name: String
    public let age: Int
    /// Whole kilometres between snapped places; nil when unknown or hidden.
    public let distanceKilometres: Int?
    public let bio: String
    public let interests: [String]

    /// - Parameters:
    ///   - viewerPlace: where the viewer's published place is, if known.
    ///   - today: decides the age.
    public init(_ profile: Profile, viewerPlace: Coordinate?, today: CivilDate) {
        self.id = profile.id
        self.name = profile.name
        self.age = profile.birthDate.age(on: today)
        self.bio = String(profile.about.prefix(Self.bioLength))
        self.interests = profile.interests
        if let viewerPlace, let place = profile.place, !profile.visibility.hidesDistance {
            let kilometres = (viewerPlace.distance(to: place).metres / 1_000).rounded()
            self.distanceKilometres = max(Self.distanceFloorKilometres, Int(kilometres))
        } else {
            self.distanceKilometres = nil
        }
    }

    /// The members, for objects that hold more than the card.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("id", id)
        writer.field("name", name)
        writer.field("age", age)
        writer.key("distance_km")
        if let distanceKilometres { writer.value(distanceKilometres) } else { writer.null() }
        writer.field("photos", [String]())
        writer.field("bio", bio)
        writer.field("interests", interests)
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writeMembers(to: &$0) }
    }

    public static let schemaName = "Card"
    public static let schemaProperties: [Schema.Property] = [
        .required("id", .identifier(UserKind.self)),
        .required("name", .string()),
        .required("age", .integer()),
        .required("distance_km", .nullable(.integer())),
        .required("photos", .list(.string())),
        .required("bio", .string()),
        .required("interests", .list(.string())),
    ]
    public static let schema = Schema.object(schemaProperties)
}

/// Contribution that Profiles opens: whether one person may see another at all. One refusal suffices; the answer is then
/// the same 404 as for a person who does not exist.
public protocol ProfileVisibilityPolicy: Sendable {
    func maySee(_ profile: Profile, viewer: UserID) async throws -> Bool
    /// Whether the viewer is shown the distance even when one of the two is outside the other's hard limits. One consent suffices.
    func showsDistanceBeyondLimits(of profile: Profile, to viewer: UserID) async throws -> Bool
}

extension ProfileVisibilityPolicy {
    public func showsDistanceBeyondLimits(of profile: Profile, to viewer: UserID) async throws -> Bool { false }
}

/// Contribution that Profiles opens: whether what a person says of themselves may be shown to everybody. Asked of every new name,
/// text and interest, at registration too, on the writer's thread; so short and without I/O.
public protocol ProfileTextPolicy: Sendable {
    func maySay(_ text: String) -> Bool
}

/// Anything of the person but the location changed.
public struct ProfileChanged: SparkEvent {
    public static let name = "profiles.profile_changed"
    public let user: UserID
    /// As it is now.
    public let gender: Gender
    /// The published place; nil before the first location.
    public let place: Coordinate?
    /// Whether the change may bring the person into decks, or further to the front of them. False for a new text, and for who
    /// hides: those leave decks by their version.
    public let mayEnterDecks: Bool

    public init(user: UserID, gender: Gender, place: Coordinate?, mayEnterDecks: Bool) {
        self.user = user
        self.gender = gender
        self.place = place
        self.mayEnterDecks = mayEnterDecks
    }
}

/// The person is in another cell than before, or at another published place of it.
public struct LocationChanged: SparkEvent {
    public static let name = "profiles.location_changed"
    public let user: UserID
    public let gender: Gender
    /// The published place before; nil if this is the first.
    public let from: Coordinate?
    /// The published place now.
    public let to: Coordinate?

    public init(user: UserID, gender: Gender, from: Coordinate?, to: Coordinate?) {
        self.user = user
        self.gender = gender
        self.from = from
        self.to = to
    }
}

/// Port of Profiles: told of every authenticated request, so that it knows who is active.
public protocol ActivityRecording: Sendable {
    /// Returns at once; what it notes reaches the store within moments.
    func recordActivity(of user: UserID)
}

/// These people were last active at these times; gathered, so at most one a second, each person at most once in ten minutes.
/// Changes no version.
public struct ActivityRecorded: SparkEvent {
    public static let name = "profiles.activity_recorded"
    public let people: [(user: UserID, at: Timestamp)]
    public init(people: [(user: UserID, at: Timestamp)]) { self.people = people }
}
