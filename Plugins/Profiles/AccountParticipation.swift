import SparkCore
import SparkKit

/// Creates a profile with its account, and hides or shows it when the account closes or reopens.
struct AccountParticipation: Sendable {
    let service: ProfilesService
    let clock: any WallClock
}

extension AccountParticipation: RegistrationParticipant {
    func register(_ registration: Registration, in work: any UnitOfWork) throws {
        try ProfileTexts.check([registration.name], by: service.texts.all)
        try service.store.insert(OwnProfile(registration), in: work)
    }

    func selfPortrait(of user: UserID) async throws -> [UInt8] {
        let own = try await service.own(user)
        return JSONWriter.bytes(of: OwnProfileView(own: own, centre: service.centre(of: own), today: clock.now().date))
    }
}

extension AccountParticipation: ClosureParticipant {
    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws {
        try service.store.setClosed(isClosed, user: user, in: work)
    }
}
