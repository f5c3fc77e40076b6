package import SparkCore

// Who is in whose deck: the rules alone, pure and without a store, so that every store and every test can be held to them.
//
// Everything here that concerns two people is asked both ways: a person is in my deck only if I am in theirs. Distances are
// those of the published, snapped places.

/// Whether two people are in each other's decks at a stage, swipes and blocks aside.
package struct TwoWayFilter: Sendable {
    package let viewer: Candidate
    package let stage: DeckStage
    /// Who was last active before is in no deck; whole seconds.
    package let activeSince: Timestamp

    package init(viewer: Candidate, stage: DeckStage, activeSince: Timestamp) {
        self.viewer = viewer
        self.stage = stage
        self.activeSince = activeSince.flooredToSeconds
    }

    /// All but the distance.
    package func suits(_ candidate: Candidate, hasLikedViewer: @autoclosure () -> Bool) -> Bool {
        candidate.id != viewer.id && !candidate.isClosed && !viewer.isClosed && !candidate.isPaused && !viewer.isPaused
            && candidate.lastActiveAt >= activeSince
            && viewer.preferences.interestedIn.contains(candidate.gender)
            && candidate.preferences.interestedIn.contains(viewer.gender)
            && viewer.accepts(age: candidate.age, at: stage) && candidate.accepts(age: viewer.age, at: stage)
            && (!candidate.isIncognito || hasLikedViewer())
    }

    /// Neither is too far away for the other.
    package func reaches(_ candidate: Candidate, at distance: Distance) -> Bool {
        if let limit = viewer.reach(at: stage), distance > limit { return false }
        if let limit = candidate.reach(at: stage), distance > limit { return false }
        return true
    }
}
