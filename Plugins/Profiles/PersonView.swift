import SparkCore

/// A person as another user sees them: the members of the card, and more in the full view.
struct PersonView: JSONWritable {
    /// The members that `fields` may request, in the order in which they are written.
    enum Member: String, CaseIterable {
        case id, name, age
        case distance = "distance_km"
        case photos, bio, interests, gender, about
        case lastActive = "last_active"

        static let words = allCases.map(\.rawValue)
        static let card: Set<Member> = [.id, .name, .age, .distance, .photos, .bio, .interests]
        static let full = Set(allCases)
    }

    private let profile: Profile
    private let card: ProfileCard
    private let today: CivilDate
    private let members: Set<Member>

    /// - Parameter members: the members to write; `id` is always written.
    init(_ profile: Profile, viewerPlace: Coordinate?, today: CivilDate, members: Set<Member>) {
        self.profile = profile
        self.card = ProfileCard(profile, viewerPlace: viewerPlace, today: today)
        self.today = today
        self.members = members.union([.id])
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for member in Member.allCases where members.contains(member) { write(member, to: &writer) }
        }
    }

    private func write(_ member: Member, to writer: inout JSONWriter) {
        let key = member.rawValue
        switch member {
        case .id: writer.field(key, card.id)
        case .name: writer.field(key, card.name)
        case .age: writer.field(key, card.age)
        case .distance:
            writer.key(key)
            if let kilometres = card.distanceKilometres { writer.value(kilometres) } else { writer.null() }
        case .photos: writer.field(key, [String]())
        case .bio: writer.field(key, card.bio)
        case .interests: writer.field(key, card.interests)
        case .gender: writer.field(key, profile.gender.wire)
        case .about: writer.field(key, profile.about)
        case .lastActive: writer.field(key, lastActive)
        }
    }

    /// A word for days, not hours: a word that changed at the hour of the last activity would reveal that hour.
    private var lastActive: String {
        switch today.daysSinceEpoch - profile.lastActiveAt.date.daysSinceEpoch {
        case ...0: "today"
        case 1...6: "this_week"
        default: "earlier"
        }
    }

    static let schemaName = "Person"
    /// Only the identifier is required; `view` and `fields` select the rest.
    static let schema = Schema.object([
        .required("id", .identifier(UserKind.self)),
        .optional("name", .string()),
        .optional("age", .integer()),
        .optional("distance_km", .nullable(.integer())),
        .optional("photos", .list(.string())),
        .optional("bio", .string()),
        .optional("interests", .list(.string())),
        .optional("gender", .oneOf(Gender.wireWords)),
        .optional("about", .string()),
        .optional("last_active", .oneOf(["today", "this_week", "earlier"])),
    ])
}

extension PersonView: SchemaDescribed {}
