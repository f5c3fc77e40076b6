import Foundation
import SparkCore
import SparkKit

/// A profile for moderators: as it was when it was reported, and as it is now. Never includes the location.
struct ProfileOperations: Sendable {
    let service: ProfilesService
    let clock: any WallClock

    /// The members of a profile that others can read.
    private static func shown(_ profile: Profile, today: CivilDate) -> [JSONMember] {
        [
            JSONMember("name", .string(profile.name)),
            JSONMember("age", .integer(Int64(profile.birthDate.age(on: today)))),
            JSONMember("gender", .string(profile.gender.wire)),
            JSONMember("about", .string(profile.about)),
            JSONMember("interests", .array(profile.interests.map { .string($0) })),
        ]
    }
}

extension ProfileOperations: EvidenceProviding {
    func evidence(for request: EvidenceRequest, in work: any UnitOfWork) throws -> [Evidence] {
        guard let profile = try service.store.own(request.target, in: work)?.profile else { return [] }
        let body = JSONValue.object(Self.shown(profile, today: request.at.date))
        return [.profile(version: profile.version, body: JSONWriter.bytes(of: body))]
    }
}

extension ProfileOperations: PersonDescribing {
    var section: String { "profile" }

    func describe(_ user: UserID) async throws -> JSONValue? {
        guard let profile = try await service.profile(of: user) else { return nil }
        return .object(
            Self.shown(profile, today: clock.now().date) + [
                JSONMember("hidden", .bool(profile.isClosed)),
                JSONMember("paused", .bool(profile.visibility.isPaused)),
                JSONMember("incognito", .bool(profile.visibility.isIncognito)),
                JSONMember("has_location", .bool(profile.place != nil)),
                JSONMember("last_active_on", .string(profile.lastActiveAt.date.description)),
            ])
    }

    func find(_ text: String, limit: Int) async throws -> [UserID] {
        try await service.store.users(withNamePrefix: text, limit: limit)
    }
}
