import SparkCore

/// Decides from the relation of two people whether the viewer sees the other person; see `Relation`.
struct BlockVisibility: ProfileVisibilityPolicy {
    let store: any MatchingStore

    func maySee(_ profile: Profile, viewer: UserID) async throws -> Bool {
        guard profile.id != viewer else { return true }
        return try await store.relation(of: profile.id, to: viewer).shows(profile.visibility)
    }

    /// Matched people have agreed to meet, so they see the distance even outside their limits.
    func showsDistanceBeyondLimits(of profile: Profile, to viewer: UserID) async throws -> Bool {
        try await store.relation(of: profile.id, to: viewer).isMatched
    }
}
