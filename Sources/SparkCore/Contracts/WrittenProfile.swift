/// A profile with those members of its card that neither the viewer nor the day changes, written once. Immutable and shared by
/// all answers, so that an answer copies a few texts and no profile.
public final class WrittenProfile: Sendable {
    /// The profile.
    public let profile: Profile
    let head: WrittenMembers<CardHead>
    let text: WrittenMembers<CardText>

    /// Writes the constant members of a profile's card.
    public init(_ profile: Profile) {
        self.profile = profile
        self.head = WrittenMembers(CardHead(id: profile.id, name: profile.name))
        self.text = WrittenMembers(CardText(profile))
    }

    /// The user's identifier.
    public var id: UserID { profile.id }

    /// The number of bytes in all members.
    public var byteCount: Int { head.byteCount + text.byteCount }
}

/// The members of a card before the age.
struct CardHead: JSONObject {
    let id: UserID
    let name: String

    static let fields = Fields<CardHead>("CardHead", "Who a card is about.") {
        Field("id", \.id)
        Field("name", \.name, .personName, "The display name.")
    }
}

/// The members of a card after the distance.
struct CardText: JSONObject {
    /// The beginning of the profile text.
    let bio: String
    let interests: [String]

    init(_ profile: Profile) {
        // A character takes at least one byte, so most texts are known to be short enough without counting characters.
        let isShort = profile.about.utf8.count <= ProfileCard.bioLength
        self.bio = isShort ? profile.about : String(profile.about.prefix(ProfileCard.bioLength))
        self.interests = profile.interests
    }

    static let fields = Fields<CardText>("CardText", "What a card says.") {
        Field("photos", { _ in [] }, .list(.photo), "Always empty.")
        Field("bio", \.bio, .string.example("Climbs, cooks, reads."), "The beginning of the profile text.")
        Field("interests", \.interests, .list(.interest))
    }
}
