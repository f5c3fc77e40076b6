import SparkCore

/// Decides from the relation of two people whether the viewer sees the other person; see `Relation`.
///
/// Most viewers have their relations in memory, because their deck needs them. Then a visible person costs two lookups in sets
/// and no SQL. Every refusal is asked in the store, so that its time does not tell a block from a pause.
struct BlockVisibility: ProfileVisibilityPolicy {
    let store: any MatchingStore
    let standings: RelationsCache

    func maySee(_ profile: Profile, viewer: UserID) async throws -> Bool {
        guard profile.id != viewer else { return true }
        if !profile.isClosed, let relation = strangers(profile.id, viewer), relation.shows(profile.visibility) { return true }
        return try await store.relation(of: profile.id, to: viewer).shows(profile.visibility)
    }

    /// Matched people have agreed to meet, so they see the distance even outside their limits.
    func showsDistanceBeyondLimits(of profile: Profile, to viewer: UserID) async throws -> Bool {
        if strangers(profile.id, viewer) != nil { return false }
        return try await store.relation(of: profile.id, to: viewer).isMatched
    }

    /// The relation of a person to a viewer, if memory shows that neither blocked the other and that they never matched.
    ///
    /// The excluded people contain every block in either direction and every match, live or over. A block, its end, a match, a
    /// like and the end of a like make the viewer's relations stale before they are answered. The end of a match does not, and
    /// need not: a person once matched stays excluded.
    private func strangers(_ person: UserID, _ viewer: UserID) -> Relation? {
        guard let standing = standings.known(of: viewer), !standing.excludes(person.rawValue) else { return nil }
        return Relation(
            isBlocked: false, hasLikedViewer: standing.isLiked(by: person.rawValue), isMatched: false, isUnmatched: false)
    }
}
