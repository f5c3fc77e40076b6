import SparkCore

/// A person's whole record, as the person may see it.
struct OwnProfile: Sendable {
    var profile: Profile
    /// The cell of the fine grid; nil before the first location.
    var cell: Cell?
    var pace = LocationPace()
    var updatedAt: Timestamp
}

/// The parts of a record that a change altered.
struct ProfileAspects: OptionSet, Sendable {
    let rawValue: Int

    static let profile = ProfileAspects(rawValue: 1)
    /// The cell or the published place.
    static let location = ProfileAspects(rawValue: 2)
}

extension Profile {
    /// Whether the changes may bring the person into decks or move the person forward in them.
    func mayEnterDecks(after before: Profile) -> Bool {
        guard !visibility.isPaused, !isClosed else { return false }
        return visibility != before.visibility || preferences != before.preferences || gender != before.gender
            || interests != before.interests || isClosed != before.isClosed
    }
}

extension OwnProfile {
    /// The record of a person who has just registered.
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

    /// A record whose columns are yet to be filled.
    init(blank id: UserID) {
        let epoch = Timestamp(milliseconds: 0)
        self.profile = Profile(
            id: id, name: "", birthDate: CivilDate(daysSinceEpoch: 0), gender: .nonbinary, about: "", interests: [],
            preferences: Preferences(
                interestedIn: .everyone, minAge: 18, maxAge: 120, maxDistanceKilometres: 1, isAgeHard: true,
                isDistanceHard: true),
            visibility: Visibility(), place: nil, lastActiveAt: epoch, createdAt: epoch, isClosed: false, version: 0)
        self.cell = nil
        self.updatedAt = epoch
    }
}
