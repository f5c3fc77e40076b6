import SparkCore
import SparkKit

// What a profile consists of. A new part of profiles is added here: a column, from which the rows, the cached records
// and their weight follow; a member of the description, from which `GET /me`, the export and what moderators see follow; and a
// member of the change, which `PATCH /me` reads.

extension OwnProfile {
    /// The columns of `profiles_users` beside the key.
    static let columns: [ProfileColumn] = [
        ProfileColumn("name", \.profile.name, .text, .profile),
        ProfileColumn("birth_date", \.profile.birthDate, .day),
        ProfileColumn("gender", \.profile.gender, .gender, .profile),
        ProfileColumn("interested_in", \.profile.preferences.interestedIn, .genders, .profile),
        ProfileColumn("about", \.profile.about, .text, .profile),
        ProfileColumn("interests", \.profile.interests, .texts, .profile),
        ProfileColumn("min_age", \.profile.preferences.minAge, .small, .profile),
        ProfileColumn("max_age", \.profile.preferences.maxAge, .small, .profile),
        ProfileColumn("max_distance_km", \.profile.preferences.maxDistanceKilometres, .small, .profile),
        ProfileColumn("hard_age", \.profile.preferences.isAgeHard, .flag, .profile),
        ProfileColumn("hard_distance", \.profile.preferences.isDistanceHard, .flag, .profile),
        ProfileColumn("paused", \.profile.visibility.isPaused, .flag, .profile),
        ProfileColumn("incognito", \.profile.visibility.isIncognito, .flag, .profile),
        ProfileColumn("hide_distance", \.profile.visibility.hidesDistance, .flag, .profile),
        ProfileColumn("closed", \.profile.isClosed, .flag),
        ProfileColumn("last_active_at", \.profile.lastActiveAt, .time),
        ProfileColumn("created_at", \.profile.createdAt, .time),
        ProfileColumn("updated_at", \.updatedAt, .time, [.profile, .location]),
        ProfileColumn("version", \.profile.version, .number, [.profile, .location]),
        ProfileColumn("cell", \.cell, .cell, .location),
        ProfileColumn("location_changed_at", \.pace.changedAt, .time, .location),
        ProfileColumn("location_window_start", \.pace.windowStart, .time, .location),
        ProfileColumn("location_window_count", \.pace.windowCount, .small, .location),
        ProfileColumn("location", \.profile.place, .place, .location),
        ProfileColumn("location_correctable_until", \.pace.correctableUntil, .time, .location),
    ]
}

/// What a person says about themselves: a part of all full views.
struct ProfileDescription: JSONObject {
    let profile: Profile

    static let fields = Fields<ProfileDescription>("ProfileDescription", "What a person says about themselves.") {
        Field("about", \.profile.about, .about, "The text about oneself.")
        Field("interests", \.profile.interests, .interests)
    }
}

extension FieldType where Value == String {
    static var about: FieldType { .text(.about).example("Climbs, cooks, reads.") }
}

extension FieldType where Value == [String] {
    static var interests: FieldType { .distinctList(.interest, 0...12) }
}

/// The body of `PATCH /me`. Absent members stay unchanged.
struct ProfileChange: RequestBody {
    let name: String?
    let about: AboutChange
    let interests: [String]?
    let gender: Gender?
    let interestedIn: GenderSet?
    let visibility: VisibilityChange?

    static let body = BodyFields<ProfileChange>(
        "ProfileChange", "A change of one's own profile; absent members stay unchanged.",
        { name, about, interests, gender, interestedIn, visibility, _ in
            ProfileChange(
                name: name, about: about, interests: interests, gender: gender, interestedIn: interestedIn,
                visibility: visibility)
        }
    ) {
        Field(optional: "name", \.name, .personName, "The display name.")
        Field(membersOf: \.about)
        Field(optional: "interests", \.interests, .interests)
        Field(optional: "gender", \.gender, .word(format: "a gender"))
        Field(optional: "interested_in", \.interestedIn, .genders(), "The genders that the person wants to meet.")
        Field(optional: "visibility", \.visibility)
        Field(refusing: "birth_date", "immutable", "The birth date cannot be changed.")
    }

    /// The texts that policies check.
    private var texts: [String] {
        let interests = interests ?? []
        // Cards show interests in a row, so a contact detail could be spread over several of them.
        let row = interests.count > 1 ? [interests.joined(separator: ", ")] : []
        return [name, about.text].compactMap(\.self) + interests + row
    }

    /// - Throws: `ProfilesError.contactDetails` for a text that a policy refuses.
    func check(by policies: [any ProfileTextPolicy]) throws { try ProfileTexts.check(texts, by: policies) }

    /// Alters the record and returns the altered parts.
    func apply(to own: inout OwnProfile, places: PublishedPlaces) -> ProfileAspects {
        var aspects: ProfileAspects = []
        func set<Value: Equatable>(_ value: Value?, _ target: inout Value) {
            guard let value, value != target else { return }
            target = value
            aspects.insert(.profile)
        }
        set(name, &own.profile.name)
        set(about.text, &own.profile.about)
        set(interests, &own.profile.interests)
        set(gender, &own.profile.gender)
        set(interestedIn, &own.profile.preferences.interestedIn)
        set(visibility?.isPaused, &own.profile.visibility.isPaused)
        set(visibility?.isIncognito, &own.profile.visibility.isIncognito)
        set(visibility?.hidesDistance, &own.profile.visibility.hidesDistance)
        let published = places.published(
            own.cell, hidesDistance: own.profile.visibility.hidesDistance, last: own.profile.place)
        if published != own.profile.place {
            own.profile.place = published
            aspects.insert(.location)
        }
        return aspects
    }
}

/// The text about oneself: `about`, or its synonym `bio` from cards.
struct AboutChange: RequestBody {
    let text: String?

    static let body = BodyFields<AboutChange>("AboutChange", "The text about oneself, under one of two names.", read: read) {
        about
        bio
    }

    private static let about = Field<AboutChange, String?>(optional: "about", \.text, .about, "The text about oneself.")
    private static let bio = Field<AboutChange, String?>(
        optional: "bio", { _ in nil }, .about, isInExample: false, "The same as about, as cards call it.")

    private static func read(from reader: inout ObjectReader) -> AboutChange? {
        let (text, synonym) = (about.read(from: &reader), bio.read(from: &reader))
        if reader.has("about"), reader.has("bio") {
            reader.refuse("bio", "duplicate", "about and bio are the same; give one of them.")
            return nil
        }
        guard let text, let synonym else { return nil }
        return AboutChange(text: text ?? synonym)
    }
}

/// Checks the texts of a profile that others read.
enum ProfileTexts {
    /// - Throws: `ProfilesError.contactDetails`.
    static func check(_ texts: [String], by policies: [any ProfileTextPolicy]) throws {
        guard texts.allSatisfy({ text in policies.allSatisfy { $0.maySay(text) } }) else { throw ProfilesError.contactDetails }
    }
}
