import SparkCore

// The JSON bodies and answers of Profiles. `ProfileFields` has those that name each part of a profile.

/// The answer to `GET /me`.
struct OwnProfileView: JSONObject {
    let own: OwnProfile
    /// The centre of the person's cell.
    let centre: Coordinate?
    let today: CivilDate

    static let fields = Fields<OwnProfileView>("Me", "A person's own profile.") {
        Field("id", \.own.profile.id)
        Field("name", \.own.profile.name, .personName, "The display name.")
        Field("birth_date", \.own.profile.birthDate)
        Field("age", { $0.own.profile.birthDate.age(on: $0.today) }, .integer.example(31), "The age in years.")
        Field("gender", \.own.profile.gender)
        Field("interested_in", \.own.profile.preferences.interestedIn, .genders(), "The genders that the person wants to meet.")
        Field(membersOf: { ProfileDescription(profile: $0.own.profile) })
        Field("preferences", { PreferencesView(preferences: $0.own.profile.preferences) })
        Field("visibility", { VisibilityView(visibility: $0.own.profile.visibility) })
        Field("location", { $0.centre.map { SnappedLocation(centre: $0) } }, "Null before the first location.")
        Field("created_at", \.own.profile.createdAt)
        Field("updated_at", \.own.updatedAt)
    }
}

/// How much of a person others see.
struct VisibilityView: JSONObject {
    let visibility: Visibility

    static let fields = Fields<VisibilityView>(
        "Visibility", "How much of a person others see.", required: Set(VisibilityChange.fields.names)
    ) {
        Field(
            membersOf: {
                VisibilityChange(
                    isPaused: $0.visibility.isPaused, isIncognito: $0.visibility.isIncognito,
                    hidesDistance: $0.visibility.hidesDistance)
            })
    }
}

/// A change of how much others see; absent members stay unchanged.
struct VisibilityChange: RequestBody {
    let isPaused: Bool?
    let isIncognito: Bool?
    let hidesDistance: Bool?

    static let body = BodyFields<VisibilityChange>(
        "VisibilityChange", "A change of how much others see; absent members stay unchanged.",
        VisibilityChange.init(isPaused:isIncognito:hidesDistance:)
    ) {
        Field(optional: "paused", \.isPaused, "In no deck.")
        Field(optional: "incognito", \.isIncognito, "Shown only to people that this person likes.")
        Field(optional: "hide_distance", \.hidesDistance, "No distance is shown.")
    }
}

/// The answer to `GET /me/preferences`.
struct PreferencesView: JSONObject {
    let preferences: Preferences

    static let fields = Fields<PreferencesView>("Preferences", "The people that a person wants to see.") {
        Field(membersOf: { SearchLimits($0.preferences) })
        Field("interested_in", \.preferences.interestedIn, .genders())
        Field("hard", { HardLimits(preferences: $0.preferences) }, "The limits that are never relaxed.")
    }
}

/// The body of `PUT /me/preferences`. Replaces all preferences; `interested_in` may be absent and then stays.
struct PreferencesChange: RequestBody {
    let limits: SearchLimits
    let interestedIn: GenderSet?
    let hard: HardLimitsChange

    static let body = BodyFields<PreferencesChange>(
        "PreferencesChange", "The people that a person wants to see.", PreferencesChange.init(limits:interestedIn:hard:)
    ) {
        Field(membersOf: \.limits)
        Field(optional: "interested_in", \.interestedIn, .genders(), "Stays as it is if absent.")
        Field(
            "hard", \.hard, .object, default: HardLimitsChange(isAgeHard: true, isDistanceHard: true),
            "The limits that are never relaxed.")
    }

    /// Alters the record and returns the altered parts.
    func apply(to own: inout OwnProfile) -> ProfileAspects {
        let preferences = Preferences(
            interestedIn: interestedIn ?? own.profile.preferences.interestedIn, minAge: limits.ages.least,
            maxAge: limits.ages.greatest, maxDistanceKilometres: limits.kilometres, isAgeHard: hard.isAgeHard,
            isDistanceHard: hard.isDistanceHard)
        guard preferences != own.profile.preferences else { return [] }
        own.profile.preferences = preferences
        return .profile
    }
}

/// The limits of a search for people.
struct SearchLimits: RequestBody {
    let ages: AgeLimits
    let kilometres: Int

    static let body = BodyFields<SearchLimits>(
        "SearchLimits", "The limits of a search for people.", SearchLimits.init(ages:kilometres:)
    ) {
        Field(membersOf: \.ages)
        Field("max_distance_km", \.kilometres, .integer(1...20_000).example(50))
    }
}

extension SearchLimits {
    init(_ preferences: Preferences) {
        self.init(
            ages: AgeLimits(least: preferences.minAge, greatest: preferences.maxAge),
            kilometres: preferences.maxDistanceKilometres)
    }
}

/// The lowest and the highest age in years, inclusive.
struct AgeLimits: RequestBody {
    let least: Int
    let greatest: Int

    static func checked(least: Int, greatest: Int) throws(Refusal) -> AgeLimits {
        guard least <= greatest else { throw Refusal("max_age", "range", "max_age must not be smaller than min_age.") }
        return AgeLimits(least: least, greatest: greatest)
    }

    static let body = BodyFields<AgeLimits>(
        "AgeLimits", "The lowest and the highest age in years.", checked(least:greatest:)
    ) {
        Field("min_age", \.least, .integer(18...120).example(25))
        Field("max_age", \.greatest, .integer(18...120).example(40))
    }
}

/// The limits that are never relaxed.
struct HardLimits: JSONObject {
    let preferences: Preferences

    static let fields = Fields<HardLimits>(
        "HardLimits", "The limits that are never relaxed.", required: Set(HardLimitsChange.fields.names)
    ) {
        Field(
            membersOf: {
                HardLimitsChange(isAgeHard: $0.preferences.isAgeHard, isDistanceHard: $0.preferences.isDistanceHard)
            })
    }
}

/// The limits that are never relaxed; an absent one is hard.
struct HardLimitsChange: RequestBody {
    let isAgeHard: Bool
    let isDistanceHard: Bool

    static let body = BodyFields<HardLimitsChange>(
        "HardLimitsChange", "The limits that are never relaxed; an absent one is hard.",
        HardLimitsChange.init(isAgeHard:isDistanceHard:)
    ) {
        Field("age", \.isAgeHard, .boolean, default: true)
        Field("distance", \.isDistanceHard, .boolean, default: true)
    }
}

/// The body of `PUT /me/location`. The only value of this module that holds an exact place. It lives as long as its request.
struct ReportedLocation: RequestBody {
    let place: Coordinate

    static func checked(latitude: Double, longitude: Double) throws(Refusal) -> ReportedLocation {
        guard let place = Coordinate(latitude: latitude, longitude: longitude) else {
            throw Refusal("", "range", "The place is not on Earth.")
        }
        return ReportedLocation(place: place)
    }

    static let body = BodyFields<ReportedLocation>(
        "ReportedLocation", "Where the person is.", checked(latitude:longitude:)
    ) {
        Field("latitude", \.place.latitude, .number(-90...90).example(48.85))
        Field("longitude", \.place.longitude, .number(-180...180).example(2.35))
    }
}

/// A person's location as the server stores it.
struct SnappedLocation: JSONObject {
    let centre: Coordinate

    static let fields = Fields<SnappedLocation>("SnappedLocation", "The centre of the cell that a person is in.") {
        Field(membersOf: { ReportedLocation(place: $0.centre) })
    }
}
