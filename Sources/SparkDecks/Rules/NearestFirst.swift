package import SparkCore

/// Orders candidates by distance alone, in millimetres.
package struct NearestFirst: CandidateScoring {
    /// The order has no parameters.
    package init() {}

    package func scale(for viewer: Candidate, at now: Timestamp) -> Scale { Scale() }

    /// Scores are negative distances.
    package struct Scale: ScoreScale {
        @inline(__always)
        package func score(_ traits: CandidateTraits) -> Int { -Int((traits.metres * 1_000).rounded()) }
        @inline(__always)
        package func ceiling(_ traits: TraitLimits) -> Int { -Int((traits.metres * 1_000).rounded(.down)) }
        @inline(__always)
        package func demands(_ traits: TraitLimits, slack: Int) -> TraitDemands { TraitDemands() }
    }
}
