import SparkCore
import SparkKit

/// The body of `PUT /me/preferences`. Replaces all preferences; `interested_in` may be absent and then stays.
struct PreferencesChange: HandReadBody {
    let minAge: Int
    let maxAge: Int
    let maxDistanceKilometres: Int
    let interestedIn: GenderSet?
    let isAgeHard: Bool
    let isDistanceHard: Bool

    private static let ages = 18...120
    private static let kilometres = 1...20_000

    init(from reader: inout ObjectReader) {
        let before = reader.violations.count
        minAge = reader.integer("min_age", Self.ages)
        maxAge = reader.integer("max_age", Self.ages)
        if reader.violations.count == before, minAge > maxAge {
            reader.refuse("max_age", "range", "max_age must not be smaller than min_age.")
        }
        maxDistanceKilometres = reader.integer("max_distance_km", Self.kilometres)
        interestedIn = reader.interestedIn()
        let hard = reader.optionalObject("hard") { reader in
            (age: reader.optionalBool("age"), distance: reader.optionalBool("distance"))
        }
        isAgeHard = hard?.age ?? true
        isDistanceHard = hard?.distance ?? true
    }

    static let schemaName = "PreferencesChange"
    static let schema = Schema.object([
        .required("min_age", .integer(ages)), .required("max_age", .integer(ages)),
        .required("max_distance_km", .integer(kilometres)),
        .optional("interested_in", .list(.oneOf(Gender.wireWords), count: 1...3, unique: true)),
        .optional("hard", .object([.optional("age", .boolean), .optional("distance", .boolean)])),
    ])

    /// Alters the record and returns the altered parts.
    func apply(to own: inout OwnProfile) -> ProfileAspects {
        let preferences = Preferences(
            interestedIn: interestedIn ?? own.profile.preferences.interestedIn, minAge: minAge, maxAge: maxAge,
            maxDistanceKilometres: maxDistanceKilometres, isAgeHard: isAgeHard, isDistanceHard: isDistanceHard)
        guard preferences != own.profile.preferences else { return [] }
        own.profile.preferences = preferences
        return .profile
    }
}

/// The body of `PUT /me/location`. The only value of this module that holds an exact place. It lives as long as its request.
struct ReportedLocation: HandReadBody {
    /// Nil only together with a violation.
    let place: Coordinate?

    init(from reader: inout ObjectReader) {
        let latitude = reader.double("latitude", -90...90)
        let longitude = reader.double("longitude", -180...180)
        place = Coordinate(latitude: latitude, longitude: longitude)
    }

    static let schemaName = "ReportedLocation"
    static let schema = Schema.object([
        .required("latitude", .number(-90...90)), .required("longitude", .number(-180...180)),
    ])
}
