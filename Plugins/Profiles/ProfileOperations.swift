import Foundation
import SparkCore
import SparkKit

/// A profile for moderators: as it was when it was reported, and as it is now. Never includes the location.
struct ProfileOperations: Sendable {
    let service: ProfilesService
    let clock: any WallClock
}

/// What others can read of a profile.
struct ShownProfile: JSONObject {
    let profile: Profile
    let today: CivilDate

    static let fields = Fields<ShownProfile>("ShownProfile", "What others can read of a profile.") {
        Field("name", \.profile.name, .personName)
        Field("age", { $0.profile.birthDate.age(on: $0.today) }, .integer)
        Field("gender", \.profile.gender)
        Field(membersOf: { ProfileDescription(profile: $0.profile) })
    }
}

/// A profile as it is now.
struct ModeratedProfile: JSONObject {
    let shown: ShownProfile

    static let fields = Fields<ModeratedProfile>("ModeratedProfile", "A profile for those who moderate.") {
        Field(membersOf: \.shown)
        Field("hidden", \.shown.profile.isClosed)
        Field("paused", \.shown.profile.visibility.isPaused)
        Field("incognito", \.shown.profile.visibility.isIncognito)
        Field("has_location", { $0.shown.profile.place != nil })
        Field("last_active_on", \.shown.profile.lastActiveAt.date)
    }
}

extension ProfileOperations: EvidenceProviding {
    func evidence(for request: EvidenceRequest, in work: any UnitOfWork) throws -> [Evidence] {
        guard let profile = try service.store.own(request.target, in: work)?.profile else { return [] }
        let shown = ShownProfile(profile: profile, today: request.at.date)
        return [.profile(version: profile.version, body: JSONWriter.bytes(of: shown))]
    }
}

extension ProfileOperations: PersonDescribing {
    var section: String { "profile" }

    func describe(_ user: UserID) async throws -> JSONValue? {
        guard let profile = try await service.profile(of: user) else { return nil }
        return ModeratedProfile(shown: ShownProfile(profile: profile, today: clock.now().date)).json
    }

    func find(_ text: String, limit: Int) async throws -> [UserID] {
        try await service.store.users(withNamePrefix: text, limit: limit)
    }
}
