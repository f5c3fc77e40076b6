package import SparkCore

// Who is in whose deck: pure rules without a store, so that every store and test can be compared with them.
//
// Every rule about two people applies in both directions: a person is in my deck only if I could be in theirs. Distances are
// between published, snapped places.

/// Decides whether two people are in each other's decks at a stage, apart from swipes and blocks.
package struct TwoWayFilter: Sendable {
    package let viewer: Candidate
    package let stage: DeckStage
    /// A person last active before this is in no deck. In whole seconds.
    package let activeSince: Timestamp

    /// - Parameter activeSince: rounded down to whole seconds.
    package init(viewer: Candidate, stage: DeckStage, activeSince: Timestamp) {
        self.viewer = viewer
        self.stage = stage
        self.activeSince = activeSince.flooredToSeconds
    }

    /// Whether the candidate passes every rule except distance.
    package func suits(_ candidate: Candidate, hasLikedViewer: @autoclosure () -> Bool) -> Bool {
        candidate.id != viewer.id && !candidate.isClosed && !viewer.isClosed && !candidate.isPaused && !viewer.isPaused
            && candidate.lastActiveAt >= activeSince
            && viewer.preferences.interestedIn.contains(candidate.gender)
            && candidate.preferences.interestedIn.contains(viewer.gender)
            && viewer.accepts(age: candidate.age, at: stage) && candidate.accepts(age: viewer.age, at: stage)
            && (!candidate.isIncognito || hasLikedViewer())
    }

    /// Whether the distance is within the limits of both people.
    package func reaches(_ candidate: Candidate, at distance: Distance) -> Bool {
        if let limit = viewer.reach(at: stage), distance > limit { return false }
        if let limit = candidate.reach(at: stage), distance > limit { return false }
        return true
    }
}
