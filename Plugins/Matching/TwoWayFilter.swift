import SparkCore

// Who is in whose deck, and in what order: the rules alone, pure and without a store, so that every store and every test can
// be held to them.
//
// Everything here that concerns two people is asked both ways: a person is in my deck only if I am in theirs. Distances are
// those of the published, snapped places; a score sees them in whole kilometres only, so that no order shows anything finer.

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
    let lastActiveAt: Timestamp
    /// Published; nil before the first location.
    let place: Coordinate?

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

/// How well a candidate suits a viewer, in millionths: 0…1,000,000. Whole numbers, so that floating-point noise reorders nobody.
protocol CandidateScoring: Sendable {
    /// - Parameters:
    ///   - distance: between the published places.
    ///   - sharedInterests: how many interests both name.
    func score(_ candidate: Candidate, for viewer: Candidate, distance: Distance, sharedInterests: Int, at now: Timestamp) -> Int

    /// No candidate farther away than `distance`, with whom at most so many interests are shared, can score more.
    func ceiling(beyond distance: Distance, sharedInterests: Int) -> Int
}

/// A weighted sum of nearness, recent activity, ages that suit and shared interests, each within 0…1.
struct Scorer: CandidateScoring {
    /// So many shared interests are as good as more.
    private static let fullInterests = 5

    private let distanceWeight: Double
    private let recencyWeight: Double
    private let ageWeight: Double
    private let interestsWeight: Double
    private let activeDays: Int

    /// - Parameters:
    ///   - distance: this and the other weights are scaled to the sum 1; if all are 0 they count alike.
    ///   - activeDays: after so many days without activity the recency is worth nothing.
    init(distance: Double, recency: Double, age: Double, interests: Double, activeDays: Int) {
        let sum = distance + recency + age + interests
        self.distanceWeight = sum > 0 ? distance / sum : 0.25
        self.recencyWeight = sum > 0 ? recency / sum : 0.25
        self.ageWeight = sum > 0 ? age / sum : 0.25
        self.interestsWeight = sum > 0 ? interests / sum : 0.25
        self.activeDays = max(1, activeDays)
    }

    func score(
        _ candidate: Candidate, for viewer: Candidate, distance: Distance, sharedInterests: Int, at now: Timestamp
    ) -> Int {
        let idleDays = max(0, (now.milliseconds - candidate.lastActiveAt.milliseconds) / 86_400_000)
        let recency = max(0, 1 - Double(idleDays) / Double(activeDays))
        let ages = (Self.closeness(of: candidate.age, to: viewer) + Self.closeness(of: viewer.age, to: candidate)) / 2
        return total(
            kilometres: (distance.metres / 1_000).rounded(), recency: recency, ages: ages, sharedInterests: sharedInterests)
    }

    func ceiling(beyond distance: Distance, sharedInterests: Int) -> Int {
        // Rounded down: whoever is beyond is rounded to this many kilometres at least, even if the last bit of the distance lies.
        // The sum is made of the same operations as a score, each of them monotone, so it is a bound bit for bit.
        total(kilometres: (distance.metres / 1_000).rounded(.down), recency: 1, ages: 1, sharedInterests: sharedInterests)
    }

    private func total(kilometres: Double, recency: Double, ages: Double, sharedInterests: Int) -> Int {
        let nearness = 1 / (1 + kilometres / 10)
        let interests = Double(min(sharedInterests, Self.fullInterests)) / Double(Self.fullInterests)
        let sum =
            distanceWeight * nearness + recencyWeight * recency + ageWeight * ages + interestsWeight * interests
        return Int((sum * 1_000_000).rounded())
    }

    /// 1 for an age in the middle of the range that somebody looks for, falling evenly to 0 a year beyond its ends.
    private static func closeness(of age: Int, to seeker: Candidate) -> Double {
        let (low, high) = (Double(seeker.preferences.minAge), Double(seeker.preferences.maxAge))
        let reach = max(0, (high - low) / 2) + 1
        return max(0, 1 - abs(Double(age) - (low + high) / 2) / reach)
    }
}
