package import SparkCore

/// What filter and score know of a person. The viewer is one, too.
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
    /// Whole seconds: nothing finer is remembered of it.
    package let lastActiveAt: Timestamp
    /// Published; nil before the first location.
    package var place: Coordinate?
    /// Of the profile.
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

    /// Whether this person accepts somebody's age at a stage.
    package func accepts(age: Int, at stage: DeckStage) -> Bool {
        guard let slack = ageSlack(at: stage) else { return true }
        return age >= preferences.minAge - slack && age <= preferences.maxAge + slack
    }

    /// Whether each of two people is within the hard limits of the other.
    package func isWithinHardLimits(of other: Candidate) -> Bool {
        var distance: Distance?
        if let place, let there = other.place { distance = place.distance(to: there) }
        return preferences.hardLimitsAdmit(gender: other.gender, age: other.age, distance: distance)
            && other.preferences.hardLimitsAdmit(gender: gender, age: age, distance: distance)
    }

    /// Whether somebody may learn that this person likes them: only if the two could be in each other's decks.
    package func mayShowLike(to other: Candidate) -> Bool { !isPaused && !isClosed && isWithinHardLimits(of: other) }

    /// How far this person looks at a stage; nil without limit.
    package func reach(at stage: DeckStage) -> Distance? {
        let limit = preferences.maxDistanceKilometres
        switch stage {
        case .nearby: return .kilometres(limit)
        case .wider: return .kilometres(preferences.isDistanceHard ? limit : 2 * limit)
        case .anywhere: return preferences.isDistanceHard ? .kilometres(limit) : nil
        }
    }

    /// Years to either side of the range of ages at a stage; nil when ages do not matter.
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
    /// The beginning of the UTC day on which somebody must have been active to be in decks now: whole days, so that nobody leaves a deck
    /// at the hour of their last activity.
    package func activeSince(days: Int) -> Timestamp { (self - .days(days)).date.startOfDay }

    /// The beginning of its second.
    package var flooredToSeconds: Timestamp {
        let rest = milliseconds % 1_000
        return Timestamp(milliseconds: milliseconds &- (rest < 0 ? rest + 1_000 : rest))
    }
}
