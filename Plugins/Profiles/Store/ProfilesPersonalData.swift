import SparkCore
import SparkKit
import SparkStorage

/// The tables, with the export and the erasure of one person's data.
enum ProfilesPersonalData {
    static let tables: [TableDeclaration] = [
        .userLinked("profiles_users", export: export, erase: erase),
        .plain("profiles_grid"),
    ]

    private static func export(_ session: SQLSession, _ user: UserID) throws -> [JSONValue] {
        let found = try session.statement(ProfileRow.select).row([.integer(user.rawValue)]) { ProfileRow.record($0) }
        guard let own = found else { return [] }
        let profile = own.profile
        let (preferences, visibility) = (profile.preferences, profile.visibility)
        let centre = try StoredGrid.sizes(in: session).flatMap { PublishedPlaces($0).centre(of: own.cell) }
        return [
            [
                "id": .string(profile.id.wire),
                "name": .string(profile.name),
                "birth_date": .string(profile.birthDate.description),
                "gender": .string(profile.gender.wire),
                "interested_in": .array(preferences.interestedIn.genders.map { .string($0.wire) }),
                "about": .string(profile.about),
                "interests": .array(profile.interests.map { .string($0) }),
                "preferences": [
                    "min_age": .integer(Int64(preferences.minAge)), "max_age": .integer(Int64(preferences.maxAge)),
                    "max_distance_km": .integer(Int64(preferences.maxDistanceKilometres)),
                    "hard": ["age": .bool(preferences.isAgeHard), "distance": .bool(preferences.isDistanceHard)],
                ],
                "visibility": [
                    "paused": .bool(visibility.isPaused), "incognito": .bool(visibility.isIncognito),
                    "hide_distance": .bool(visibility.hidesDistance),
                ],
                "closed": .bool(profile.isClosed),
                "location": centre.map { ["latitude": .number($0.latitude), "longitude": .number($0.longitude)] } ?? .null,
                "location_changed_at": own.pace.changedAt.map { .string($0.description) } ?? .null,
                "last_active_at": .string(profile.lastActiveAt.description),
                "created_at": .string(profile.createdAt.description),
                "updated_at": .string(own.updatedAt.description),
            ]
        ]
    }

    /// SpatiaLite's trigger removes the entry from the R-tree.
    private static func erase(_ session: SQLSession, _ user: UserID) throws {
        try session.run("DELETE FROM profiles_users WHERE id = ?", user.rawValue)
    }
}
