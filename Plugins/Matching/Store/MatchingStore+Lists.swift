import SparkCore
import SparkDecks
import SparkStorage

// Pages run by keyset over an index, newest first. A row that must not be shown is stepped over; at most `scanLimit` rows are
// looked at for a page, so a page may be short and still have a next one.

extension SpatiaLiteMatchingStore {
    private static let scanLimit = 2_000

    func matches(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Match> {
        // The two halves come sorted from their indexes and are merged.
        try await storage.read { session in
            try Self.page(
                """
                SELECT id, conversation_id, created_at, user_b AS other, ended_at IS NULL AND
                    EXISTS (SELECT 1 FROM profiles_users WHERE id = user_b AND closed = 0) AS is_shown
                FROM matching_matches WHERE user_a = ?1 AND (created_at, id) < (?2, ?3)
                UNION ALL
                SELECT id, conversation_id, created_at, user_a AS other, ended_at IS NULL AND
                    EXISTS (SELECT 1 FROM profiles_users WHERE id = user_a AND closed = 0) AS is_shown
                FROM matching_matches WHERE user_b = ?1 AND (created_at, id) < (?2, ?3)
                ORDER BY created_at DESC, id DESC
                """, [.integer(user.rawValue)], after: position, limit: limit, in: session
            ) { row in
                let match = Match(
                    id: MatchID(rawValue: row.integer(0)), conversation: ConversationID(rawValue: row.integer(1)),
                    other: UserID(rawValue: row.integer(3)), createdAt: row.time(2))
                return (row.flag(4) ? match : nil, PagePosition(time: match.createdAt, id: match.id.rawValue))
            }
        }
    }

    func liveMatches(of user: UserID, limit: Int) async throws -> [Match] {
        try await storage.read { session in
            var matches: [Match] = []
            try session.statement(
                """
                SELECT id, conversation_id, created_at, user_b AS other FROM matching_matches
                WHERE user_a = ?1 AND ended_at IS NULL
                UNION ALL
                SELECT id, conversation_id, created_at, user_a AS other FROM matching_matches
                WHERE user_b = ?1 AND ended_at IS NULL
                ORDER BY created_at DESC, id DESC LIMIT ?2
                """
            ).forEach([.integer(user.rawValue), .integer(Int64(limit))]) { row in
                matches.append(
                    Match(
                        id: MatchID(rawValue: row.integer(0)), conversation: ConversationID(rawValue: row.integer(1)),
                        other: UserID(rawValue: row.integer(3)), createdAt: row.time(2)))
                return true
            }
            return matches
        }
    }

    func likes(
        of user: UserID, after position: PagePosition, limit: Int, at now: Timestamp, skipLifetime: Duration
    ) async throws -> Page<ReceivedLike> {
        try await storage.read { session in
            let today = now.date
            guard let viewer = try CandidateReader(session: session, today: today).candidate(user) else {
                return Page(items: [], next: nil)
            }
            let first = CandidateReader.columnCount
            return try Self.page(
                Self.likesOf, [.integer(user.rawValue)], [.integer((now - skipLifetime).milliseconds)], after: position,
                limit: limit, in: session
            ) { row in
                let like = ReceivedLike(
                    from: UserID(rawValue: row.integer(0)),
                    isSuperlike: row.integer(first) == SwipeAction.superlike.rawValue, likedAt: row.time(first + 1))
                var isShown = false
                if row.flag(first + 2), let liker = CandidateReader.candidate(row, today: today) {
                    isShown = liker.mayShowLike(to: viewer)
                }
                return (isShown ? like : nil, PagePosition(time: like.likedAt, id: like.from.rawValue))
            }
        }
    }

    private static let likesOf = """
        SELECT \(CandidateReader.columns), s.action, s.swiped_at,
            NOT EXISTS (SELECT 1 FROM matching_swipes m
                WHERE m.user_id = ?1 AND m.target_id = s.user_id AND (m.action <> 3 OR m.swiped_at > ?4))
            AND NOT EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?1 AND target_id = s.user_id)
            AND NOT EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = s.user_id AND target_id = ?1)
        FROM matching_swipes s CROSS JOIN profiles_users u ON u.id = s.user_id \(CandidateReader.tallies)
        WHERE s.target_id = ?1 AND s.action IN (1, 2) AND (s.swiped_at, s.user_id) < (?2, ?3)
        ORDER BY s.swiped_at DESC, s.user_id DESC
        """

    func blocks(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Block> {
        try await storage.read { session in
            try Self.page(
                """
                SELECT target_id, blocked_at FROM matching_blocks
                WHERE user_id = ?1 AND (blocked_at, target_id) < (?2, ?3)
                ORDER BY blocked_at DESC, target_id DESC
                """, [.integer(user.rawValue)], after: position, limit: limit, in: session
            ) { row in
                let block = Block(
                    target: UserID(rawValue: row.integer(0)), blockedAt: row.time(1))
                return (block, PagePosition(time: block.blockedAt, id: block.target.rawValue))
            }
        }
    }

    /// Steps through the rows of a list from a position.
    /// - Parameters:
    ///   - owner: bound to ?1; the position to ?2 and ?3, the further arguments from ?4.
    ///   - read: the element of a row, nil if it is not shown, and the row's position.
    private static func page<Element: Sendable>(
        _ sql: String, _ owner: [SQLValue], _ further: [SQLValue] = [], after position: PagePosition, limit: Int,
        in session: SQLSession, read: (borrowing SQLRow) -> (Element?, PagePosition)
    ) throws -> Page<Element> {
        let arguments = owner + [.integer(position.time.milliseconds), .integer(position.id)] + further
        var items: [Element] = []
        var (end, scanned, hasMore): (PagePosition?, Int, Bool) = (nil, 0, false)
        try session.statement(sql).forEach(arguments) { row in
            let (element, position) = read(row)
            let isFull = items.count == limit
            hasMore = scanned == scanLimit || (isFull && element != nil)
            if hasMore { return false }
            scanned += 1
            // A full page ends at the last row shown: a cursor can be read, and must not tell of rows that are hidden.
            if !isFull { end = position }
            if let element { items.append(element) }
            return true
        }
        return Page(items: items, next: hasMore ? end : nil)
    }
}
