import SparkCore
import SparkStorage

/// The columns of `profiles_users` in one order, for all statements that read or write whole rows.
enum ProfileRow {
    static let columns = [
        "id", "name", "birth_date", "gender", "interested_in", "about", "interests", "min_age", "max_age", "max_distance_km",
        "hard_age", "hard_distance", "paused", "incognito", "hide_distance", "closed", "last_active_at", "created_at",
        "updated_at", "version", "cell", "location_changed_at", "location_window_start", "location_window_count", "location",
        "location_correctable_until",
    ]

    static let select = "SELECT \(columns.joined(separator: ", ")) FROM profiles_users WHERE id = ?1"
    static let insert = """
        INSERT INTO profiles_users (\(columns.joined(separator: ", ")))
        VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))
        """

    /// The values of a record, in the order of `columns`.
    static func values(of own: OwnProfile) -> [SQLValue] {
        let profile = own.profile
        let (preferences, visibility) = (profile.preferences, profile.visibility)
        return [
            .integer(profile.id.rawValue), .text(profile.name), .integer(profile.birthDate.daysSinceEpoch),
            .integer(Int64(profile.gender.rawValue)), .integer(Int64(preferences.interestedIn.rawValue)),
            .text(profile.about), .text(interestsText(profile.interests)), .integer(Int64(preferences.minAge)),
            .integer(Int64(preferences.maxAge)), .integer(Int64(preferences.maxDistanceKilometres)),
            .flag(preferences.isAgeHard), .flag(preferences.isDistanceHard), .flag(visibility.isPaused),
            .flag(visibility.isIncognito), .flag(visibility.hidesDistance), .flag(profile.isClosed),
            .time(profile.lastActiveAt), .time(profile.createdAt), .time(own.updatedAt), .integer(profile.version),
            .optional(own.cell?.rawValue), .optional(own.pace.changedAt?.milliseconds),
            .optional(own.pace.windowStart?.milliseconds), .integer(Int64(own.pace.windowCount)),
            profile.place.map { .blob(GeometryBlob.point($0)) } ?? .null,
            .optional(own.pace.correctableUntil?.milliseconds),
        ]
    }

    /// The record of a row selected with `columns`.
    ///
    /// The fallbacks replace values that the table's constraints rule out.
    static func record(_ row: borrowing SQLRow) -> OwnProfile {
        let preferences = Preferences(
            interestedIn: GenderSet(rawValue: UInt8(truncatingIfNeeded: row.integer(4))),
            minAge: Int(row.integer(7)), maxAge: Int(row.integer(8)), maxDistanceKilometres: Int(row.integer(9)),
            isAgeHard: row.flag(10), isDistanceHard: row.flag(11))
        let profile = Profile(
            id: UserID(rawValue: row.integer(0)), name: row.text(1), birthDate: CivilDate(daysSinceEpoch: row.integer(2)),
            gender: Gender(rawValue: UInt8(truncatingIfNeeded: row.integer(3))) ?? .nonbinary, about: row.text(5),
            interests: interests(row.text(6)), preferences: preferences,
            visibility: Visibility(isPaused: row.flag(12), isIncognito: row.flag(13), hidesDistance: row.flag(14)),
            place: row.place(24), lastActiveAt: row.time(16), createdAt: row.time(17),
            isClosed: row.flag(15), version: row.integer(19))
        return OwnProfile(
            profile: profile, cell: row.optional(20).map { Cell(rawValue: $0) },
            pace: LocationPace(
                changedAt: row.optional(21).map { Timestamp(milliseconds: $0) },
                windowStart: row.optional(22).map { Timestamp(milliseconds: $0) }, windowCount: Int(row.integer(23)),
                correctableUntil: row.optional(25).map { Timestamp(milliseconds: $0) }),
            updatedAt: row.time(18))
    }

    static func interestsText(_ interests: [String]) -> String {
        var writer = JSONWriter(capacity: 16 + interests.count * 16)
        writer.array { writer in
            for interest in interests { writer.value(interest) }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func interests(_ text: String) -> [String] {
        guard text != "[]", let value = try? JSONParser.parse(text.utf8) else { return [] }
        return value.array?.compactMap(\.string) ?? []
    }
}
