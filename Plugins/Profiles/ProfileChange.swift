import SparkCore
import SparkKit

/// The body of `PATCH /me`: what is absent stays as it is.
struct ProfileChange: RequestBody {
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
        name = reader.optional("name", format: "1 to 50 characters on one line") { Self.line($0, length: 1...50) }
        about = reader.about(length: 0...1_000)
        interests = reader.optionalList("interests", count: 0...12, format: "1 to 30 characters on one line") {
            Self.line($0.lowercased(), length: 1...30)
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

    /// Text without the spaces around it; nil when it has control characters or another length.
    private static func line(_ text: String, length: ClosedRange<Int>) -> String? {
        let scalars = Array(text.unicodeScalars)
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return nil }
        let trimmed = scalars[first...last]
        guard length.contains(trimmed.count), !trimmed.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: trimmed)
        return String(result)
    }
}

extension ProfileChange {
    /// Alters the record and tells what differs now.
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

extension ObjectReader {
    /// The text about oneself; `bio`, as cards call it, is understood, too.
    fileprivate mutating func about(length: ClosedRange<Int>) -> String? {
        let (about, bio) = (optionalString("about", length: length), optionalString("bio", length: length))
        if has("about"), has("bio") { refuse("bio", "duplicate", "about and bio are the same; give one of them.") }
        return about ?? bio
    }

    /// One to three genders.
    mutating func interestedIn() -> GenderSet? {
        optionalList("interested_in", count: 1...3, format: "a gender") { Gender(wire: $0) }.map { GenderSet($0) }
    }
}
