package import SparkCore

// In what order people stand in a deck: pure and without a store. A score sees distances in whole kilometres between snapped
// places, never below the floor that cards show, and in wide bands for those who hide theirs; so no order shows anything finer.

/// How well candidates suit viewers.
package protocol CandidateScoring: Sendable {
    associatedtype Scale: ScoreScale
    /// What measures candidates for one viewer at one moment.
    func scale(for viewer: Candidate, at now: Timestamp) -> Scale
}

/// How well candidates suit one viewer; whole numbers, so that floating-point noise reorders nobody.
package protocol ScoreScale: Sendable {
    func score(_ traits: CandidateTraits) -> Int
    /// No candidate with at best these traits scores more.
    func ceiling(_ traits: TraitLimits) -> Int
    /// What a candidate must have of single traits to score no less than so much below the ceiling of these.
    func demands(_ traits: TraitLimits, slack: Int) -> TraitDemands
}

/// What scoring well asks of single traits. Whoever lacks one of them is out; who has all of them may still be.
package struct TraitDemands: Sendable {
    package var idleDays = Int.max
    package var youngest = 0
    package var oldest = 255
    package var interests = 0

    package init() {}
}

/// What a score sees of a candidate.
package struct CandidateTraits: Sendable {
    /// Between the published places.
    package var metres: Double
    package var hidesDistance: Bool
    /// UTC days since the one of the last activity.
    package var idleDays: Int
    package var age: Int
    package var minAge: Int
    package var maxAge: Int
    /// How many interests both name.
    package var sharedInterests: Int
    package var likesViewer: Bool
    /// When the day began.
    package var tally: SwipeTally
    /// How often the candidate was dealt on the day before.
    package var shownYesterday: Int

    @inline(__always)
    package init(
        metres: Double, hidesDistance: Bool, idleDays: Int, age: Int, minAge: Int, maxAge: Int, sharedInterests: Int,
        likesViewer: Bool, tally: SwipeTally, shownYesterday: Int
    ) {
        self.metres = metres
        self.hidesDistance = hidesDistance
        self.idleDays = idleDays
        self.age = age
        self.minAge = minAge
        self.maxAge = maxAge
        self.sharedInterests = sharedInterests
        self.likesViewer = likesViewer
        self.tally = tally
        self.shownYesterday = shownYesterday
    }

    package init(_ candidate: Candidate, metres: Double, sharedInterests: Int, likesViewer: Bool, at now: Timestamp) {
        let today = now.dayNumber
        self.init(
            metres: metres, hidesDistance: candidate.hidesDistance,
            idleDays: max(0, Int(today) - Int(candidate.lastActiveAt.dayNumber)), age: candidate.age,
            minAge: candidate.preferences.minAge, maxAge: candidate.preferences.maxAge, sharedInterests: sharedInterests,
            likesViewer: likesViewer, tally: candidate.counts.tally(on: today),
            shownYesterday: candidate.counts.shownYesterday(on: today))
    }
}

/// The best that anybody of some people can have of each trait.
package struct TraitLimits: Sendable {
    package var metres: Double
    package var idleDays: Int
    package var youngest: Int
    package var oldest: Int
    package var sharedInterests: Int
    package var tally: SwipeTally
    /// Whether one of them may like the viewer.
    package var mayLikeViewer: Bool

    @inline(__always)
    package init(
        metres: Double, idleDays: Int, youngest: Int, oldest: Int, sharedInterests: Int, tally: SwipeTally, mayLikeViewer: Bool
    ) {
        self.metres = metres
        self.idleDays = idleDays
        self.youngest = youngest
        self.oldest = oldest
        self.sharedInterests = sharedInterests
        self.tally = tally
        self.mayLikeViewer = mayLikeViewer
    }

    /// Of people of whom only the distance is known.
    package init(metres: Double, sharedInterests: Int) {
        self.init(
            metres: metres, idleDays: 0, youngest: 0, oldest: 200, sharedInterests: sharedInterests,
            tally: .best, mayLikeViewer: true)
    }
}

extension Timestamp {
    /// The UTC day, counted from 1970, as `DailyCounts` counts it.
    package var dayNumber: UInt16 { UInt16(clamping: max(0, milliseconds / 86_400_000)) }
}
