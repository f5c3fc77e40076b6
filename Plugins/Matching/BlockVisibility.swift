import SparkCore

/// Hides those who are blocked, in either direction, and those who are incognito from all but the ones they like.
struct BlockVisibility: ProfileVisibilityPolicy {
    let store: any MatchingStore

    func maySee(_ profile: Profile, viewer: UserID) async throws -> Bool {
        guard profile.id != viewer else { return true }
        let relation = try store.relation(of: profile.id, to: viewer)
        guard !relation.isBlocked else { return false }
        return !profile.visibility.isIncognito || relation.hasLikedViewer || relation.isMatched
    }
}
