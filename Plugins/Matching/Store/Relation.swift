import SparkCore
import SparkStorage

/// What is between a viewer and another person.
struct Relation: Hashable, Sendable {
    /// In either direction.
    let isBlocked: Bool
    /// The other one liked the viewer.
    let hasLikedViewer: Bool
    /// By a match that is live.
    let isMatched: Bool
    /// By a match that has ended, whoever ended it.
    let isUnmatched: Bool

    /// The relation to a person the viewer may know nothing about.
    static let hidden = Relation(isBlocked: true, hasLikedViewer: false, isMatched: false, isUnmatched: false)

    /// Whether the viewer may see the other one at all.
    ///
    /// The one rule behind every route and frame that names a person: who blocked or was blocked, unmatched, is paused, or is incognito
    /// is as absent as somebody who closed the account. A pause hides from everybody but matches, incognito from everybody but matches and
    /// those who were liked.
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
                WHERE user_a = min(?1, ?2) AND user_b = max(?1, ?2)), 0)
        """

    /// A row of `query`.
    init(_ row: borrowing SQLRow) {
        self.init(
            isBlocked: row.integer(0) != 0, hasLikedViewer: row.integer(1) != 0, isMatched: row.integer(2) == 1,
            isUnmatched: row.integer(2) == 2)
    }
}
