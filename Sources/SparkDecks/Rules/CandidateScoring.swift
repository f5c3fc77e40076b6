package import SparkCore

// The order of candidates in a deck: pure functions without a store. A score reads distances in whole kilometres between snapped
// places, at least the floor that cards show, and in wide bands for people who hide their distance. So no order reveals anything
// finer.

/// A rule that scores how well candidates suit viewers.
package protocol CandidateScoring: Sendable {
    associatedtype Scale: ScoreScale
    /// The scale that scores candidates for one viewer at one moment.
    func scale(for viewer: Candidate, at now: Timestamp) -> Scale
}

/// Scores how well candidates suit one viewer. Scores are whole numbers, so that floating-point noise changes no order.
package protocol ScoreScale: Sendable {
    /// What a score reads of a distance.
    associatedtype Nearness
    /// What a score reads of a distance. A shorter distance gives no lower score.
    func nearness(metres: Double) -> Nearness
    /// The score of a candidate at a distance, which replaces that of the traits; higher is better.
    func score(_ traits: CandidateTraits, _ nearness: Nearness) -> Int
    /// Whether shared interests affect a score.
    var readsInterests: Bool { get }
    /// An upper bound of the scores of candidates with at best these traits.
    func ceiling(_ traits: TraitLimits) -> Int
    /// A cheap test that everybody with at best these traits passes who scores at least a threshold; nil if there is none.
    func estimate(_ traits: TraitLimits, threshold: Int) -> ScoreEstimate?
}

extension ScoreScale {
    /// The score of a candidate; higher is better.
    @inline(__always)
    package func score(_ traits: CandidateTraits) -> Int { score(traits, nearness(metres: traits.metres)) }
}

/// The traits of a candidate that a score reads.
package struct CandidateTraits: Sendable {
    /// The distance between the published places.
    package var metres: Double
    /// The candidate hides the distance, so the score reads it in wide bands.
    package var hidesDistance: Bool
    /// UTC days since the day of the last activity.
    package var idleDays: Int
    package var age: Int
    package var minAge: Int
    package var maxAge: Int
    /// How many interests the two have in common.
    package var sharedInterests: Int
    /// The candidate has liked the viewer.
    package var likesViewer: Bool
    /// The tally at the beginning of the day.
    package var tally: SwipeTally
    /// How many decks showed the candidate on the previous day.
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

    /// The traits of a candidate at a moment.
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

/// The best value of each trait among some people.
package struct TraitLimits: Sendable {
    /// The least distance.
    package var metres: Double
    /// The fewest UTC days since the last activity.
    package var idleDays: Int
    /// The least age.
    package var youngest: Int
    /// The greatest age.
    package var oldest: Int
    /// The most shared interests.
    package var sharedInterests: Int
    /// The highest levels.
    package var tally: SwipeTally
    /// Whether any of them may like the viewer.
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

    /// Limits for people when only the distance is known.
    package init(metres: Double, sharedInterests: Int) {
        self.init(
            metres: metres, idleDays: 0, youngest: 0, oldest: 200, sharedInterests: sharedInterests,
            tally: .best, mayLikeViewer: true)
    }
}

extension Timestamp {
    /// The UTC day in days since 1970, as in `DailyCounts`.
    package var dayNumber: UInt16 { UInt16(clamping: max(0, milliseconds / 86_400_000)) }
}

/// Orders candidates by distance alone, in millimetres.
package struct NearestFirst: CandidateScoring {
    /// The order has no parameters.
    package init() {}

    package func scale(for viewer: Candidate, at now: Timestamp) -> Scale { Scale() }

    /// Scores are negative distances.
    package struct Scale: ScoreScale {
        /// Not `rounded()`, which is a function call on processors older than 2008.
        @inline(__always)
        package func nearness(metres: Double) -> Int { -Int(metres * 1_000 + 0.5) }
        @inline(__always)
        package func score(_ traits: CandidateTraits, _ nearness: Int) -> Int { nearness }
        package var readsInterests: Bool { false }
        @inline(__always)
        package func ceiling(_ traits: TraitLimits) -> Int { -Int((traits.metres * 1_000).rounded(.down)) }
        @inline(__always)
        package func estimate(_ traits: TraitLimits, threshold: Int) -> ScoreEstimate? { nil }
    }
}
