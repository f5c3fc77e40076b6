import SparkCache
import SparkCore

/// A person's whole record as the cache keeps it, with the JSON that all views of the person share. Immutable and shared, so
/// that a reader copies a reference and not the record.
final class ProfileRecord: Sendable {
    let own: OwnProfile
    let written: WrittenProfile
    let description: WrittenMembers<PersonDescription>

    init(_ own: OwnProfile) {
        self.own = own
        self.written = WrittenProfile(own.profile)
        self.description = WrittenMembers(PersonDescription(gender: own.profile.gender, about: own.profile.about))
    }

    var profile: Profile { written.profile }
}

/// The members of the full view of a person that the card lacks and that no viewer changes.
struct PersonDescription: JSONObject {
    let gender: Gender
    let about: String

    static let fields = Fields<PersonDescription>("PersonDescription", "What the full view of a person says.") {
        Field("gender", \.gender)
        Field("about", \.about, .about, "The text about oneself.")
    }
}

extension ProfileRecord: CacheValue {
    /// The objects around the record and the written texts, in bytes.
    private static let objects = 560

    var cacheCost: Int { own.cacheCost + Self.objects + written.byteCount + description.byteCount }

    /// The encoding is that of the record alone; the texts are written again.
    func encode(into bytes: inout [UInt8]) { own.encode(into: &bytes) }
    static func decode(_ bytes: [UInt8]) -> ProfileRecord? { OwnProfile.decode(bytes).map { ProfileRecord($0) } }
}
