import SparkCore
import SparkDecks
import SparkStorage

/// The viewer's relations for a deck: read once into sets that are queried thousands of times.
///
/// The viewer's own swipes and blocks and the likes received count at once. Passes on the viewer count from the next UTC day on:
/// a person who left the deck at the moment of a swipe would reveal the swipe.
struct ViewerRelations: Sendable {
    let excluded: IdentifierSet
    /// The excluded people that no count may include: people the viewer may not see, people who passed on an undecided viewer,
    /// and matches, because a count would reveal their pause.
    let uncounted: IdentifierSet
    let likers: IdentifierSet
    /// When the relations change without an event: the first skip in them expires, or the next UTC day begins.
    let validUntil: Timestamp

    /// - Parameters:
    ///   - now: decides which skips and passes count.
    ///   - skipLifetime: how long a skip counts.
    init(of viewer: UserID, at now: Timestamp, skipLifetime: Duration, in session: SQLSession) throws {
        let key = SQLValue.integer(viewer.rawValue)
        let skippedSince = (now - skipLifetime).milliseconds
        var swiped: [Int64] = []
        var firstSkip = Int64.max
        try session.statement(Self.swiped).forEach([key, .integer(skippedSince), .time(now)]) { row in
            swiped.append(row.integer(0))
            if row.integer(1) == SwipeAction.skip.rawValue { firstSkip = min(firstSkip, row.integer(2)) }
            return true
        }
        var uncounted: [Int64] = []
        for sql in [Self.matchedAbove, Self.matchedBelow, Self.blocked, Self.blockedBy] {
            uncounted += try Self.list(sql, [key], in: session)
        }
        // A pass changes nothing for a candidate who has already decided about the viewer.
        uncounted += try Self.passers(of: viewer, at: now, in: session).filter { !swiped.hasSorted($0) }
        let likers = try Self.list(Self.likedBy, [key], in: session)
        let skipsEnd = firstSkip == .max ? Int64.max : (Timestamp(milliseconds: firstSkip) + skipLifetime).milliseconds
        self.init(
            excluded: IdentifierSet([viewer.rawValue] + swiped + uncounted), uncounted: IdentifierSet(uncounted),
            likers: IdentifierSet(likers),
            validUntil: Timestamp(milliseconds: min(skipsEnd, (now.date.startOfDay + .days(1)).milliseconds)))
    }

    init(excluded: IdentifierSet, uncounted: IdentifierSet, likers: IdentifierSet, validUntil: Timestamp) {
        self.excluded = excluded
        self.uncounted = uncounted
        self.likers = likers
        self.validUntil = validUntil
    }

    /// Whether the candidate cannot be in the deck: swiped on by the viewer, blocked in either direction, ever matched, had
    /// passed on the viewer when the day began, or is the viewer.
    func excludes(_ candidate: Int64) -> Bool { excluded.contains(candidate) }

    /// Whether the candidate likes the viewer.
    func isLiked(by candidate: Int64) -> Bool { likers.contains(candidate) }

    /// People whose pass on the viewer was in force when the day began, even if they have undone it since.
    static func passers(of viewer: UserID, at now: Timestamp, in session: SQLSession) throws -> [Int64] {
        let (key, today) = (SQLValue.integer(viewer.rawValue), now.date)
        return try list(passedBy, [key, .integer(today.startOfDay.milliseconds)], in: session)
            + list(withdrawnBy, [key, .integer(today.daysSinceEpoch)], in: session)
    }

    private static func list(_ sql: String, _ values: [SQLValue], in session: SQLSession) throws -> [Int64] {
        var list: [Int64] = []
        try session.statement(sql).forEach(values) { row in
            list.append(row.integer(0))
            return true
        }
        return list
    }

    // Ordered as the primary key is, so nothing is sorted.
    private static let swiped = """
        SELECT target_id, action, swiped_at FROM matching_swipes WHERE user_id = ?1 AND (action <> 3 OR swiped_at BETWEEN ?2 + 1 AND ?3)
        ORDER BY target_id
        """
    private static let passedBy = """
        SELECT user_id FROM matching_swipes WHERE target_id = ?1 AND action IN (0, 3) AND action = 0 AND swiped_at < ?2
        """
    private static let withdrawnBy = "SELECT user_id FROM matching_withdrawn_passes WHERE target_id = ?1 AND day = ?2"
    private static let likedBy = "SELECT user_id FROM matching_swipes WHERE target_id = ?1 AND action IN (1, 2)"
    private static let blocked = "SELECT target_id FROM matching_blocks WHERE user_id = ?1"
    private static let blockedBy = "SELECT user_id FROM matching_blocks WHERE target_id = ?1"
    private static let matchedAbove = "SELECT user_b FROM matching_matches WHERE user_a = ?1"
    private static let matchedBelow = "SELECT user_a FROM matching_matches WHERE user_b = ?1"
}

extension [Int64] {
    /// Whether an ascending list contains an element.
    fileprivate func hasSorted(_ element: Int64) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == element
    }
}
