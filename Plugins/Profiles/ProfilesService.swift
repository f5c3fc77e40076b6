import Metrics
import SparkCore
import SparkKit

/// The operations of Profiles: changes of a user's own record, and views of other people.
struct ProfilesService: Sendable {
    let store: any ProfilesStore
    let records: ProfileRecords
    let answers: PreferencesAnswers
    let places: PublishedPlaces
    let limits: LocationLimits
    let activity: ActivityLog
    let policies: Contributions<any ProfileVisibilityPolicy>
    let texts: Contributions<any ProfileTextPolicy>
    let metrics: ProfilesMetrics

    /// The record of the requesting user.
    /// - Throws: `EdgeError.notFound` if the account is already erased.
    func own(_ user: UserID) async throws -> OwnProfile {
        guard let record = try await records.record(of: user) else { throw EdgeError.notFound }
        return record.own
    }

    /// The encoded preferences of the requesting user.
    /// - Throws: `EdgeError.notFound` if the account is already erased.
    func preferences(of user: UserID) async throws -> [UInt8] {
        guard let answer = try await answers.answer(for: user) else { throw EdgeError.notFound }
        return answer
    }

    /// The centre of a user's cell. Shown to that user only.
    func centre(of own: OwnProfile) -> Coordinate? { places.centre(of: own.cell) }

    /// Changes a user's profile.
    /// - Throws: `EdgeError.preconditionFailed` if the record has another version, `ProfilesError.contactDetails`.
    func change(_ user: UserID, by change: ProfileChange, expecting expectation: VersionExpectation) async throws -> OwnProfile {
        let places = places
        try change.check(by: texts.all)
        return try await alter(user) { own in
            guard expectation.isMet(by: own.profile.version) else { throw EdgeError.preconditionFailed }
            return change.apply(to: &own, places: places)
        }
    }

    func change(_ user: UserID, by change: PreferencesChange) async throws -> OwnProfile {
        try await alter(user) { change.apply(to: &$0) }
    }

    private func alter(
        _ user: UserID, _ alter: @escaping @Sendable (inout OwnProfile) throws -> ProfileAspects
    ) async throws -> OwnProfile {
        guard let (own, altered) = try await store.change(user, { own, _ in try alter(&own) }) else {
            throw EdgeError.notFound
        }
        if altered.contains(.profile) { metrics.changes.increment() }
        return own
    }

    /// Moves a user to the cell that contains a place, and returns the cell's centre. The place itself is not stored.
    ///
    /// A place in the same cell changes nothing and is never refused.
    /// - Throws: `ProfilesError` for moves that are too frequent or too fast.
    func move(_ user: UserID, to place: Coordinate) async throws -> Coordinate? {
        let known = try await own(user)
        guard places.cell(at: place, last: known.cell) != known.cell else {
            metrics.stayed.increment()
            activity.recordActivity(of: user)
            return centre(of: known)
        }
        let (places, limits) = (places, limits)
        do {
            let result = try await store.change(user) { own, now in
                let cell = places.cell(at: place, last: own.cell)
                guard cell != own.cell else { return [] }
                try own.pace.admit(metres: places.leastMetres(from: own.cell, to: cell), at: now, limits: limits)
                own.cell = cell
                own.profile.place = places.published(
                    cell, hidesDistance: own.profile.visibility.hidesDistance, last: own.profile.place)
                return .location
            }
            guard let (own, altered) = result else { throw EdgeError.notFound }
            (altered.isEmpty ? metrics.stayed : metrics.moved).increment()
            return centre(of: own)
        } catch let error as ProfilesError {
            metrics.refused.increment()
            throw error
        }
    }

    /// A person as a viewer may see them, with the viewer's published place; nil if no distance may be shown because one of the
    /// two is outside the other's hard limits.
    ///
    /// A person who does not exist, has a closed account or is hidden from this viewer gives the same error.
    /// - Throws: `EdgeError.notFound`.
    func person(
        _ user: UserID, for viewer: UserID, today: CivilDate
    ) async throws -> (person: ProfileRecord, viewerPlace: Coordinate?) {
        guard let person = try await records.record(of: user) else { throw EdgeError.notFound }
        let profile = person.profile
        if user == viewer { return (person, profile.place) }
        // All policies are asked in every case, so that the response time does not reveal the reason.
        var isShown = !profile.isClosed
        for policy in policies.all where try await !policy.maySee(profile, viewer: viewer) { isShown = false }
        guard isShown else { throw EdgeError.notFound }
        guard let own = try await records.record(of: viewer)?.profile else { return (person, nil) }
        if profile.isWithinHardLimits(of: own, on: today) { return (person, own.place) }
        for policy in policies.all where try await policy.showsDistanceBeyondLimits(of: profile, to: viewer) {
            return (person, own.place)
        }
        return (person, nil)
    }
}

extension ProfilesService: ProfileReading {
    func writtenProfile(of user: UserID) async throws -> WrittenProfile? { try await records.record(of: user)?.written }

    func profiles(of users: [UserID]) async throws -> [WrittenProfile] {
        var open: [WrittenProfile] = []
        open.reserveCapacity(users.count)
        for case let record? in try await records.records(of: users) where !record.profile.isClosed {
            open.append(record.written)
        }
        return open
    }
}
