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

    /// Which members are written.
    enum Extent {
        /// Those of the short view.
        case card
        case full
        /// Those with these names, and `id`.
        case members([String])
    }

    private let person: ProfileRecord
    private let card: ProfileCard
    private let today: CivilDate
    private let extent: Extent

    init(_ person: ProfileRecord, viewerPlace: Coordinate?, today: CivilDate, extent: Extent) {
        self.person = person
        self.card = ProfileCard(person.written, viewerPlace: viewerPlace, today: today)
        self.today = today
        self.extent = extent
    }

    static let fields = Fields<PersonView>(
        "Person", "A person as another one sees them. The view and the fields that were asked for decide what there is.",
        required: ["id"]
    ) {
        Field(membersOf: \.card)
        Field(writtenMembersOf: \.person.description)
        Field("last_active", { LastActive($0.person.profile, today: $0.today) })
    }

    /// Writes the members that were asked for.
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch extent {
            case .card: ProfileCard.fields.writeMembers(of: card, to: &writer)
            case .full: Self.fields.writeMembers(of: self, to: &writer)
            case .members(let names):
                Self.fields.writeMembers(of: self, to: &writer) { $0 == "id" || names.contains($0) }
            }
        }
    }
}
