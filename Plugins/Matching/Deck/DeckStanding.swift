import GRDB
import SparkCore
import SparkDecks
import SparkStorage

/// Who stands how to a viewer when a deck is made: read once, as sets that are asked thousands of times.
struct DeckStanding: Sendable {
    let excluded: IdentifierSet
    let likers: IdentifierSet
    /// When the first of the skips in it runs out: from then on it is another.
    let validUntil: Timestamp

    /// - Parameters:
    ///   - now: decides which skips count.
    ///   - skipLifetime: for so long a skip counts.
    init(of viewer: UserID, at now: Timestamp, skipLifetime: Duration, in database: Database) throws {
        let key = SQLValue.integer(viewer.rawValue)
        let skippedSince = (now - skipLifetime).milliseconds
        var excluded = [viewer.rawValue]
        var firstSkip = Int64.max
        try RawStatement(Self.swiped, in: database).forEach([key, .integer(skippedSince), .time(now)]) { row in
            excluded.append(row.integer(0))
            if row.integer(1) == SwipeAction.skip.rawValue { firstSkip = min(firstSkip, row.integer(2)) }
            return true
        }
        func gather(_ sql: String, into list: inout [Int64]) throws {
            try RawStatement(sql, in: database).forEach([key]) { row in
                list.append(row.integer(0))
                return true
            }
        }
        for sql in [Self.passedBy, Self.blocked, Self.blockedBy, Self.matchedAbove, Self.matchedBelow] {
            try gather(sql, into: &excluded)
        }
        var likers: [Int64] = []
        try gather(Self.likedBy, into: &likers)
        self.init(
            excluded: IdentifierSet(excluded), likers: IdentifierSet(likers),
            validUntil: firstSkip == .max
                ? Timestamp(milliseconds: .max) : Timestamp(milliseconds: firstSkip) + skipLifetime)
    }

    init(excluded: IdentifierSet, likers: IdentifierSet, validUntil: Timestamp) {
        self.excluded = excluded
        self.likers = likers
        self.validUntil = validUntil
    }

    /// Swiped, blocked in either direction, matched once, or has passed on the viewer; the viewer, too.
    func excludes(_ candidate: Int64) -> Bool { excluded.contains(candidate) }

    /// Whether the candidate likes the viewer.
    func isLiked(by candidate: Int64) -> Bool { likers.contains(candidate) }

    // Ordered, so that the key is read and not the index by time: then there is nothing to sort.
    private static let swiped = """
        SELECT target_id, action, swiped_at FROM matching_swipes WHERE user_id = ?1 AND (action <> 3 OR swiped_at BETWEEN ?2 + 1 AND ?3)
        ORDER BY target_id
        """
    private static let passedBy = """
        SELECT user_id FROM matching_swipes WHERE target_id = ?1 AND action IN (0, 3) AND action = 0
        """
    private static let likedBy = "SELECT user_id FROM matching_swipes WHERE target_id = ?1 AND action IN (1, 2)"
    private static let blocked = "SELECT target_id FROM matching_blocks WHERE user_id = ?1"
    private static let blockedBy = "SELECT user_id FROM matching_blocks WHERE target_id = ?1"
    private static let matchedAbove = "SELECT user_b FROM matching_matches WHERE user_a = ?1"
    private static let matchedBelow = "SELECT user_a FROM matching_matches WHERE user_b = ?1"
}
