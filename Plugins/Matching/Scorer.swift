import SparkCore

// In what order people stand in a deck: pure and without a store. A score sees distances in whole kilometres between snapped
// places, never below the floor that cards show, and in wide bands for those who hide theirs; so no order shows anything finer.

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

    /// Nearer than the shown floor is as near as it, so that no order tells them apart.
    private static let nearestKilometres = Double(ProfileCard.distanceFloorKilometres)
    /// Who hides the distance is scored as if at the far end of one of these bands: they say no more than that somebody is in a
    /// deck at all.
    private static let hiddenBands: [Double] = [10, 50, 200, 1_000, 20_100]

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
        let kilometres = max(Self.nearestKilometres, (distance.metres / 1_000).rounded())
        let shown = candidate.hidesDistance ? Self.hiddenBands.first { $0 >= kilometres } ?? kilometres : kilometres
        return total(kilometres: shown, recency: recency, ages: ages, sharedInterests: sharedInterests)
    }

    func ceiling(beyond distance: Distance, sharedInterests: Int) -> Int {
        // Rounded down: whoever is beyond is rounded to this many kilometres at least, even if the last bit of the distance lies.
        // The sum is made of the same operations as a score, each of them monotone, so it is a bound bit for bit.
        let kilometres = max(Self.nearestKilometres, (distance.metres / 1_000).rounded(.down))
        return total(kilometres: kilometres, recency: 1, ages: 1, sharedInterests: sharedInterests)
    }

    private func total(kilometres: Double, recency: Double, ages: Double, sharedInterests: Int) -> Int {
        let nearness = 1 / (1 + (kilometres - Self.nearestKilometres) / 10)
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
