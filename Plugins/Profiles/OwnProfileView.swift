import SparkCore

/// The answer to `GET /me`.
struct OwnProfileView: JSONWritable, SchemaDescribed {
    let own: OwnProfile
    /// The centre of the person's cell.
    let centre: Coordinate?
    let today: CivilDate

    func write(to writer: inout JSONWriter) {
        let profile = own.profile
        writer.object { writer in
            writer.field("id", profile.id)
            writer.field("name", profile.name)
            writer.field("birth_date", profile.birthDate)
            writer.field("age", profile.birthDate.age(on: today))
            writer.field("gender", profile.gender.wire)
            writer.field("interested_in", profile.preferences.interestedIn.genders.map(\.wire))
            writer.field("about", profile.about)
            writer.field("interests", profile.interests)
            writer.field("preferences", PreferencesView(preferences: profile.preferences))
            writer.key("visibility")
            writer.object { writer in
                writer.field("paused", profile.visibility.isPaused)
                writer.field("incognito", profile.visibility.isIncognito)
                writer.field("hide_distance", profile.visibility.hidesDistance)
            }
            writer.key("location")
            LocationView(centre: centre).write(to: &writer)
            writer.field("created_at", profile.createdAt)
            writer.field("updated_at", own.updatedAt)
        }
    }

    static let schemaName = "Me"
    static let schema = Schema.object([
        .required("id", .identifier(UserKind.self)),
        .required("name", .string()),
        .required("birth_date", .date),
        .required("age", .integer()),
        .required("gender", .oneOf(Gender.wireWords)),
        .required("interested_in", .list(.oneOf(Gender.wireWords))),
        .required("about", .string()),
        .required("interests", .list(.string())),
        .required("preferences", PreferencesView.reference),
        .required(
            "visibility",
            .object([
                .required("paused", .boolean), .required("incognito", .boolean), .required("hide_distance", .boolean),
            ])),
        .required("location", .nullable(LocationView.reference)),
        .required("created_at", .dateTime),
        .required("updated_at", .dateTime),
    ])
}

/// A person's location as the server stores it: the centre of a cell, or null.
struct LocationView: JSONWritable, SchemaDescribed {
    let centre: Coordinate?

    func write(to writer: inout JSONWriter) {
        guard let centre else { return writer.null() }
        writer.object { writer in
            writer.field("latitude", centre.latitude)
            writer.field("longitude", centre.longitude)
        }
    }

    static let schemaName = "SnappedLocation"
    static let schema = Schema.object([
        .required("latitude", .number(-90...90)), .required("longitude", .number(-180...180)),
    ])
}

/// The answer to `GET /me/preferences`.
struct PreferencesView: JSONWritable, SchemaDescribed {
    let preferences: Preferences

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("min_age", preferences.minAge)
            writer.field("max_age", preferences.maxAge)
            writer.field("max_distance_km", preferences.maxDistanceKilometres)
            writer.field("interested_in", preferences.interestedIn.genders.map(\.wire))
            writer.key("hard")
            writer.object { writer in
                writer.field("age", preferences.isAgeHard)
                writer.field("distance", preferences.isDistanceHard)
            }
        }
    }

    static let schemaName = "Preferences"
    static let schema = Schema.object([
        .required("min_age", .integer()), .required("max_age", .integer()), .required("max_distance_km", .integer()),
        .required("interested_in", .list(.oneOf(Gender.wireWords))),
        .required("hard", .object([.required("age", .boolean), .required("distance", .boolean)])),
    ])
}
