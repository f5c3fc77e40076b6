import SparkCore

/// The whole record of a person, as they themselves may see it.
struct OwnProfile: Sendable {
    var profile: Profile
    /// The cell of the fine grid; nil before the first location.
    var cell: Cell?
    var pace = LocationPace()
    var updatedAt: Timestamp
}

/// Which parts of a record a change altered.
struct ProfileAspects: OptionSet, Sendable {
    let rawValue: Int

    static let profile = ProfileAspects(rawValue: 1)
    /// The cell or the published place.
    static let location = ProfileAspects(rawValue: 2)
}

extension Profile {
    /// Whether what differs may bring the person into decks in which they were not, or further to the front.
    func mayEnterDecks(after before: Profile) -> Bool {
        guard !visibility.isPaused, !isClosed else { return false }
        return visibility != before.visibility || preferences != before.preferences || gender != before.gender
            || interests != before.interests || isClosed != before.isClosed
    }
}

extension OwnProfile {
    /// The record of somebody who has just registered.
    init(_ registration: Registration) {
        let age = registration.birthDate.age(on: registration.registeredAt.date)
        let minAge = min(max(18, age - 8), 120)
        self.profile = Profile(
            id: registration.user, name: registration.name, birthDate: registration.birthDate, gender: registration.gender,
            about: "", interests: [],
            preferences: Preferences(
                interestedIn: registration.interestedIn, minAge: minAge, maxAge: max(minAge, min(120, age + 8)),
                maxDistanceKilometres: 50, isAgeHard: true, isDistanceHard: true),
            visibility: Visibility(), place: nil, lastActiveAt: registration.registeredAt,
            createdAt: registration.registeredAt, isClosed: false, version: 1)
        self.cell = nil
        self.updatedAt = registration.registeredAt
    }
}
