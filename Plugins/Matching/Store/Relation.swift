import SparkCore
import SparkStorage

/// The relation between a viewer and another person.
struct Relation: Hashable, Sendable {
    /// One of the two blocked the other.
    let isBlocked: Bool
    /// The other person liked the viewer.
    let hasLikedViewer: Bool
    /// The two have a live match.
    let isMatched: Bool
    /// The two had a match that has ended.
    let isUnmatched: Bool

    /// The relation to a person the viewer may know nothing about.
    static let hidden = Relation(isBlocked: true, hasLikedViewer: false, isMatched: false, isUnmatched: false)

    /// Whether the viewer may see the other person at all.
    ///
    /// The one rule for every route and frame that names a person: after a block in either direction or an unmatch, or while
    /// paused or incognito, a person is as absent as one with a closed account. A pause hides a person from everybody but
    /// matches; incognito from everybody but matches and people that the person liked.
    func shows(_ visibility: Visibility) -> Bool {
        if isBlocked || isUnmatched { return false }
        if isMatched { return true }
        return !visibility.isPaused && (!visibility.isIncognito || hasLikedViewer)
    }
}

extension Relation {
    /// Reads the relation of the person ?1 to the viewer ?2; always one row.
    static let query = """
        SELECT EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?1 AND target_id = ?2)
                OR EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?2 AND target_id = ?1),
            EXISTS (SELECT 1 FROM matching_swipes WHERE user_id = ?1 AND target_id = ?2 AND action IN (1, 2)),
            COALESCE((SELECT CASE WHEN ended_at IS NULL THEN 1 ELSE 2 END FROM matching_matches
                WHERE user_a = CASE WHEN ?1 < ?2 THEN ?1 ELSE ?2 END
                    AND user_b = CASE WHEN ?1 < ?2 THEN ?2 ELSE ?1 END), 0)
        """

    /// A row of `query`.
    init(_ row: borrowing SQLRow) {
        self.init(
            isBlocked: row.integer(0) != 0, hasLikedViewer: row.integer(1) != 0, isMatched: row.integer(2) == 1,
            isUnmatched: row.integer(2) == 2)
    }
}
