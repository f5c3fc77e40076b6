package import SparkCore

/// What filter and score know of a person: a candidate or the viewer.
package struct Candidate: Hashable, Sendable {
    package let id: UserID
    /// Completed years today.
    package var age: Int
    package var gender: Gender
    package var preferences: Preferences
    package var isPaused = false
    package var isIncognito = false
    package var isClosed = false
    package var hidesDistance = false
    /// In whole seconds; nothing finer is stored.
    package let lastActiveAt: Timestamp
    /// The published place; nil before the first location.
    package var place: Coordinate?
    /// The version of the profile.
    package var version: Int64 = 0
    package var interests: [InterestCode] = []
    package var counts = DailyCounts()

    package init(
        id: UserID, age: Int, gender: Gender, preferences: Preferences, lastActiveAt: Timestamp, place: Coordinate?
    ) {
        self.id = id
        self.age = age
        self.gender = gender
        self.preferences = preferences
        self.lastActiveAt = lastActiveAt.flooredToSeconds
        self.place = place
    }

    /// Whether this person accepts an age at a stage.
    package func accepts(age: Int, at stage: DeckStage) -> Bool {
        guard let slack = ageSlack(at: stage) else { return true }
        return age >= preferences.minAge - slack && age <= preferences.maxAge + slack
    }

    /// Whether each of two people is within the other's hard limits.
    package func isWithinHardLimits(of other: Candidate) -> Bool {
        var distance: Distance?
        if let place, let there = other.place { distance = place.distance(to: there) }
        return preferences.hardLimitsAdmit(gender: other.gender, age: other.age, distance: distance)
            && other.preferences.hardLimitsAdmit(gender: gender, age: age, distance: distance)
    }

    /// Whether another person may learn that this person likes them: only if the two could be in each other's decks.
    package func mayShowLike(to other: Candidate) -> Bool { !isPaused && !isClosed && isWithinHardLimits(of: other) }

    /// The greatest distance that this person accepts at a stage; nil without limit.
    package func reach(at stage: DeckStage) -> Distance? {
        let limit = preferences.maxDistanceKilometres
        switch stage {
        case .nearby: return .kilometres(limit)
        case .wider: return .kilometres(preferences.isDistanceHard ? limit : 2 * limit)
        case .anywhere: return preferences.isDistanceHard ? .kilometres(limit) : nil
        }
    }

    /// The years by which a stage widens the range of ages on each side; nil if ages do not matter.
    package func ageSlack(at stage: DeckStage) -> Int? {
        guard !preferences.isAgeHard else { return 0 }
        switch stage {
        case .nearby: return 0
        case .wider: return 5
        case .anywhere: return nil
        }
    }
}

extension Timestamp {
    /// The start of the UTC day since which a person must have been active to be in decks now. Whole days, so that a person does
    /// not leave a deck at the hour of their last activity.
    package func activeSince(days: Int) -> Timestamp { (self - .days(days)).date.startOfDay }

    /// The start of this second.
    package var flooredToSeconds: Timestamp {
        let rest = milliseconds % 1_000
        return Timestamp(milliseconds: milliseconds &- (rest < 0 ? rest + 1_000 : rest))
    }
}

/// How far limits are loosened. A deck comes from the first stage that has any candidate; stages never mix.
package enum DeckStage: String, WireWord {
    /// All limits apply as set.
    case nearby
    /// Soft limits are loosened: twice the distance, five years on each side.
    case wider
    /// Soft limits are dropped.
    case anywhere

    package static let summary = "How far the limits of a deck are loosened."
}
