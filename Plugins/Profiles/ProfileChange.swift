import SparkCore
import SparkKit

/// The body of `PATCH /me`. Absent members stay unchanged.
struct ProfileChange: HandReadBody {
    let name: String?
    let about: String?
    let interests: [String]?
    let gender: Gender?
    let interestedIn: GenderSet?
    let visibility: VisibilityChange?

    struct VisibilityChange: Sendable {
        let isPaused: Bool?
        let isIncognito: Bool?
        let hidesDistance: Bool?
    }

    init(from reader: inout ObjectReader) {
        name = reader.optional("name", format: "1 to 50 visible characters on one line") { try? TextRule.name.normalised($0) }
        about = reader.about()
        interests = reader.optionalList("interests", count: 0...12, format: "1 to 30 visible characters on one line") {
            try? TextRule.interest.normalised($0.lowercased())
        }
        gender = reader.optional("gender", format: "a gender") { Gender(wire: $0) }
        interestedIn = reader.interestedIn()
        visibility = reader.optionalObject("visibility") { reader in
            VisibilityChange(
                isPaused: reader.optionalBool("paused"), isIncognito: reader.optionalBool("incognito"),
                hidesDistance: reader.optionalBool("hide_distance"))
        }
        if reader.has("birth_date") {
            _ = reader.member("birth_date", nullable: true)
            reader.refuse("birth_date", "immutable", "The birth date cannot be changed.")
        }
    }

    static let schemaName = "ProfileChange"
    static let schema = Schema.object([
        .optional("name", .string(1...50)),
        .optional("about", .string(0...1_000)),
        .optional("interests", .list(.string(1...30), count: 0...12, unique: true)),
        .optional("gender", .oneOf(Gender.wireWords)),
        .optional("interested_in", .list(.oneOf(Gender.wireWords), count: 1...3, unique: true)),
        .optional(
            "visibility",
            .object([
                .optional("paused", .boolean), .optional("incognito", .boolean), .optional("hide_distance", .boolean),
            ])),
    ])
}

extension ProfileChange {
    /// - Throws: `ProfilesError.contactDetails` for a text that a policy refuses.
    func check(by policies: [any ProfileTextPolicy]) throws {
        let interests = interests ?? []
        // Cards show interests in a row, so a contact detail could be spread over several of them.
        let row = interests.count > 1 ? [interests.joined(separator: ", ")] : []
        try ProfileTexts.check([name, about].compactMap(\.self) + interests + row, by: policies)
    }

    /// Alters the record and returns the altered parts.
    func apply(to own: inout OwnProfile, places: PublishedPlaces) -> ProfileAspects {
        var aspects: ProfileAspects = []
        func set<Value: Equatable>(_ value: Value?, _ target: inout Value) {
            guard let value, value != target else { return }
            target = value
            aspects.insert(.profile)
        }
        set(name, &own.profile.name)
        set(about, &own.profile.about)
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

/// Checks the texts of a profile that others read.
enum ProfileTexts {
    /// - Throws: `ProfilesError.contactDetails`.
    static func check(_ texts: [String], by policies: [any ProfileTextPolicy]) throws {
        guard texts.allSatisfy({ text in policies.allSatisfy { $0.maySay(text) } }) else { throw ProfilesError.contactDetails }
    }
}

extension ObjectReader {
    /// The person's description: `about`, or its synonym `bio` from cards.
    fileprivate mutating func about() -> String? {
        let (about, bio) = (optionalVisibleText("about", .about), optionalVisibleText("bio", .about))
        if has("about"), has("bio") { refuse("bio", "duplicate", "about and bio are the same; give one of them.") }
        return about ?? bio
    }

    /// One to three genders.
    mutating func interestedIn() -> GenderSet? {
        optionalList("interested_in", count: 1...3, format: "a gender") { Gender(wire: $0) }.map { GenderSet($0) }
    }
}
