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
        let centre = try StoredGrid.sizes(in: session).flatMap { PublishedPlaces($0).centre(of: own.cell) }
        return [ExportedProfile(own: own, centre: centre).json]
    }

    /// SpatiaLite's trigger removes the entry from the R-tree.
    private static func erase(_ session: SQLSession, _ user: UserID) throws {
        try session.run("DELETE FROM profiles_users WHERE id = ?", user.rawValue)
    }
}

/// A person's row in the export.
private struct ExportedProfile: JSONObject {
    let own: OwnProfile
    /// The centre of the person's cell.
    let centre: Coordinate?

    static let fields = Fields<ExportedProfile>("ExportedProfile", "Everything that is stored of a profile.") {
        Field("id", \.own.profile.id)
        Field("name", \.own.profile.name, .personName)
        Field("birth_date", \.own.profile.birthDate)
        Field("gender", \.own.profile.gender)
        Field("interested_in", \.own.profile.preferences.interestedIn, .genders())
        Field(membersOf: { ProfileDescription(profile: $0.own.profile) })
        Field("preferences", { ExportedPreferences(preferences: $0.own.profile.preferences) })
        Field("visibility", { VisibilityView(visibility: $0.own.profile.visibility) })
        Field("closed", \.own.profile.isClosed)
        Field("location", { $0.centre.map { SnappedLocation(centre: $0) } })
        Field("location_changed_at", \.own.pace.changedAt)
        Field("last_active_at", \.own.profile.lastActiveAt)
        Field("created_at", \.own.profile.createdAt)
        Field("updated_at", \.own.updatedAt)
    }
}

/// The preferences without the genders, which stand beside them.
private struct ExportedPreferences: JSONObject {
    let preferences: Preferences

    static let fields = Fields<ExportedPreferences>("ExportedPreferences", "The limits of a search for people.") {
        Field(membersOf: { SearchLimits($0.preferences) })
        Field("hard", { HardLimits(preferences: $0.preferences) })
    }
}
