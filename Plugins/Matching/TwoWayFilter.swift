import SparkCore

// Who is in whose deck: the rules alone, pure and without a store, so that every store and every test can be held to them.
//
// Everything here that concerns two people is asked both ways: a person is in my deck only if I am in theirs. Distances are
// those of the published, snapped places.

/// How far the limits are stretched. A deck is answered at the first stage that has anybody; stages never mix.
enum DeckStage: String, CaseIterable, Sendable {
    /// All limits as set.
    case nearby
    /// Soft limits loosened: twice the distance, five years to either side.
    case wider
    /// Soft limits dropped.
    case anywhere
}

/// What filter and score know of a person. The viewer is one, too.
struct Candidate: Hashable, Sendable {
    let id: UserID
    /// Completed years today.
    let age: Int
    let gender: Gender
    let preferences: Preferences
    let isPaused: Bool
    let isIncognito: Bool
    let isClosed: Bool
    let hidesDistance: Bool
    let lastActiveAt: Timestamp
    /// Published; nil before the first location.
    let place: Coordinate?
    /// Of the profile.
    var version: Int64 = 0

    /// Whether this person accepts somebody's age at a stage.
    func accepts(age: Int, at stage: DeckStage) -> Bool {
        guard let slack = ageSlack(at: stage) else { return true }
        return age >= preferences.minAge - slack && age <= preferences.maxAge + slack
    }

    /// How far this person looks at a stage; nil without limit.
    func reach(at stage: DeckStage) -> Distance? {
        let limit = preferences.maxDistanceKilometres
        switch stage {
        case .nearby: return .kilometres(limit)
        case .wider: return .kilometres(preferences.isDistanceHard ? limit : 2 * limit)
        case .anywhere: return preferences.isDistanceHard ? .kilometres(limit) : nil
        }
    }

    /// Years to either side of the range of ages at a stage; nil when ages do not matter.
    func ageSlack(at stage: DeckStage) -> Int? {
        guard !preferences.isAgeHard else { return 0 }
        switch stage {
        case .nearby: return 0
        case .wider: return 5
        case .anywhere: return nil
        }
    }
}

/// Whether two people are in each other's decks at a stage, swipes and blocks aside.
struct TwoWayFilter: Sendable {
    let viewer: Candidate
    let stage: DeckStage
    /// Who was last active before is in no deck.
    let activeSince: Timestamp

    /// All but the distance.
    func suits(_ candidate: Candidate, hasLikedViewer: @autoclosure () -> Bool) -> Bool {
        candidate.id != viewer.id && !candidate.isClosed && !viewer.isClosed && !candidate.isPaused && !viewer.isPaused
            && candidate.lastActiveAt >= activeSince
            && viewer.preferences.interestedIn.contains(candidate.gender)
            && candidate.preferences.interestedIn.contains(viewer.gender)
            && viewer.accepts(age: candidate.age, at: stage) && candidate.accepts(age: viewer.age, at: stage)
            && (!candidate.isIncognito || hasLikedViewer())
    }

    /// Neither is too far away for the other.
    func reaches(_ candidate: Candidate, at distance: Distance) -> Bool {
        if let limit = viewer.reach(at: stage), distance > limit { return false }
        if let limit = candidate.reach(at: stage), distance > limit { return false }
        return true
    }
}
