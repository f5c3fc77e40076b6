import SparkCore

/// A person as another user sees them: the members of the card, and more in the full view.
struct PersonView: JSONObject {
    /// How lately a person was active.
    enum LastActive: String, WireWord {
        case today
        case thisWeek = "this_week"
        case earlier

        static let summary = "How lately a person was active."

        /// A word for days, not hours: a word that changed at the hour of the last activity would reveal that hour.
        init(_ profile: Profile, today: CivilDate) {
            switch today.daysSinceEpoch - profile.lastActiveAt.date.daysSinceEpoch {
            case ...0: self = .today
            case 1...6: self = .thisWeek
            default: self = .earlier
            }
        }
    }

    /// The members of the short view.
    static let cardMembers = Set(ProfileCard.fields.names)

    private let profile: Profile
    private let card: ProfileCard
    private let lastActive: LastActive
    private let members: Set<String>?

    /// - Parameter members: the members to write; `id` is always written. Nil to write all.
    init(_ profile: Profile, viewerPlace: Coordinate?, today: CivilDate, members: Set<String>?) {
        self.profile = profile
        self.card = ProfileCard(profile, viewerPlace: viewerPlace, today: today)
        self.lastActive = LastActive(profile, today: today)
        self.members = members?.union(["id"])
    }

    static let fields = Fields<PersonView>(
        "Person", "A person as another one sees them. The view and the fields that were asked for decide what there is.",
        required: ["id"]
    ) {
        Field(membersOf: \.card)
        Field("gender", \.profile.gender)
        Field("about", \.profile.about, .about, "The text about oneself.")
        Field("last_active", \.lastActive)
    }

    /// Writes the members that were asked for.
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            Self.fields.writeMembers(of: self, to: &writer) { members?.contains($0) ?? true }
        }
    }
}
