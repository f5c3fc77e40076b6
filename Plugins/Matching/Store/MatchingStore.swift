import SparkCore
import SparkDecks
import SparkKit
import SparkStorage

/// What Matching stores, in terms of its domain.
protocol MatchingStore: Sendable {
    /// The best candidates of the first stage that has any. Exact: as if every person had been scored. One snapshot.
    /// - Parameter standing: the viewer's relations; if nil, they are read in the same snapshot.
    /// - Throws: `MatchingError.locationRequired` for a viewer without a place, `EdgeError.notFound` for an unknown viewer.
    func ranking(for query: DeckQuery, standing: ViewerRelations?) async throws -> Ranking

    /// The relations between a user and everyone else.
    /// - Parameters:
    ///   - now: decides which skips have expired.
    func standing(of user: UserID, at now: Timestamp, skipLifetime: Duration) async throws -> ViewerRelations

    /// Records a swipe, and makes the match exactly once if the like is mutual.
    ///
    /// A repeated action changes nothing and returns the same outcome. Publishes `SwipeRecorded`, then `MatchCreated`; or, if
    /// there was no like before, `LikeReceived` under the conditions of that event. A like counts against the day's limit even if
    /// it is undone.
    /// - Throws: `EdgeError.notFound` for a target that the user may not see, see `Relation`; `MatchingError.alreadyMatched`,
    ///   `.dailyLimit`.
    func swipe(_ swipe: Swipe, rules: SwipeRules) async throws -> SwipeOutcome

    /// Undoes the last swipe. Publishes `SwipeUndone`.
    /// - Throws: `MatchingError.nothingToUndo`, `.undoMatched`.
    func undoLastSwipe(of user: UserID, rules: SwipeRules) async throws -> Swipe

    /// Live matches with open accounts, newest first.
    func matches(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Match>

    /// The newest live matches, including those with closed accounts.
    func liveMatches(of user: UserID, limit: Int) async throws -> [Match]

    /// Ends a match for good. Publishes `MatchEnded`; does nothing if the match is already over.
    /// - Throws: `EdgeError.notFound` unless it is or was a match of this user.
    func endMatch(_ match: MatchID, by user: UserID) async throws

    /// Likes that the user has not answered, newest first, from people who could be in the user's deck: each within the hard
    /// limits of the other, not paused, closed or blocked.
    /// - Parameters:
    ///   - now: decides ages, and which skips have expired.
    ///   - skipLifetime: an older skip does not count as an answer.
    func likes(of user: UserID, after position: PagePosition, limit: Int, at now: Timestamp, skipLifetime: Duration)
        async throws -> Page<ReceivedLike>

    /// Blocks a person; does nothing if the person is already blocked. Ends a live match. Publishes `UserBlocked`, `MatchEnded`.
    ///
    /// Works for targets that are closed, suspended, unmatched or erased.
    /// - Throws: `EdgeError.notFound` for a target that never had an account.
    func block(_ target: UserID, by user: UserID) async throws

    /// Lifts a block, if there is one. Publishes `UserUnblocked`.
    func unblock(_ target: UserID, by user: UserID) async throws

    /// The user's blocks, newest first.
    func blocks(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Block>

    /// Records a report with its evidence. Publishes `UserReported`.
    ///
    /// Works for targets that are closed, suspended, unmatched or erased, like a block.
    /// - Throws: `EdgeError.notFound` for a target that never had an account.
    func add(_ report: Report) async throws -> ReportID

    /// The other member of a conversation that a user is or was in.
    /// - Throws: `EdgeError.notFound` if there is none.
    func counterpart(of user: UserID, in conversation: ConversationID) async throws -> UserID

    /// Two people and their relations, in one snapshot; nil unless both exist.
    func pair(_ viewer: UserID, _ candidate: UserID, at now: Timestamp, skipLifetime: Duration) async throws -> Pair?

    /// Records that a person left their matches or returned. Idempotent.
    func setGone(_ isGone: Bool, user: UserID, in work: any UnitOfWork) throws

    /// Adds to each person's number of decks on a day. A person whose next day has already begun is skipped.
    func addShown(_ shown: [UserID: Int], on day: UInt16) async throws

    /// The relation of two people. Takes a few microseconds.
    func relation(of target: UserID, to viewer: UserID) async throws -> Relation
}

/// The implementation of `MatchingStore` on SQLite, with decks from SpatiaLite's R-tree of published places.
struct SpatiaLiteMatchingStore: MatchingStore {
    let storage: any Storage
    let identifiers: IdentifierGenerator
    let order = SwipeOrder()
    /// Receives the changes for the hot index.
    let feed: DeckIndexSync
    /// Called for each match in its own transaction.
    let participants: Contributions<any MatchParticipant>
    /// Asked for evidence in the transaction of each report.
    let evidence: Contributions<any EvidenceProviding>
    /// How many of a conversation's newest messages are kept with a report.
    let evidenceMessages: Int
}

// Pages by keyset over an index, newest first. Hidden rows are skipped. A page reads at most `scanLimit` rows, so it may be short
// although another page follows.

extension SpatiaLiteMatchingStore {
    private static let scanLimit = 2_000

    func matches(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Match> {
        // Both halves come sorted from their indexes and are merged.
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

    /// Reads one page of a list from a position.
    /// - Parameters:
    ///   - owner: bound to ?1. The position is bound to ?2 and ?3, the further arguments from ?4.
    ///   - read: returns the element of a row, nil if it is hidden, and the row's position.
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
            // The cursor of a full page is its last shown row: clients can read cursors, and they must not reveal hidden rows.
            if !isFull { end = position }
            if let element { items.append(element) }
            return true
        }
        return Page(items: items, next: hasMore ? end : nil)
    }
}

// Unmatching, blocks and reports, and the relation of two people.

extension SpatiaLiteMatchingStore {
    func endMatch(_ match: MatchID, by user: UserID) async throws {
        try await storage.write { transaction in
            let found = try transaction.row(
                """
                SELECT conversation_id, user_a, user_b, ended_at IS NULL FROM matching_matches
                WHERE id = ?1 AND ?2 IN (user_a, user_b)
                """, match, user
            ) { (conversation: $0[0] as ConversationID, users: [$0[1], $0[2]] as [UserID], isLive: $0.flag(3)) }
            guard let found else { throw EdgeError.notFound }
            // The match is already over. The answer must not reveal who ended it, or how.
            guard found.isLive else { return }
            try end(match, conversation: found.conversation, users: found.users, by: user, in: transaction)
        }
    }

    func block(_ target: UserID, by user: UserID) async throws {
        try await storage.write { transaction in
            let session = transaction.session
            guard try PairReader.isOpen(user, in: session), try PairReader.everHadAccount(target, in: session) else {
                throw EdgeError.notFound
            }
            let changed = try session.run(
                "INSERT INTO matching_blocks (user_id, target_id, blocked_at) VALUES (?, ?, ?) ON CONFLICT (user_id, target_id) DO NOTHING",
                user.rawValue,
                target.rawValue, transaction.now.milliseconds)
            guard changed == 1 else { return }
            transaction.publish(UserBlocked(by: user, target: target))
            if let found = try PairReader.match(of: user, target, in: session), found.isLive {
                try end(
                    found.match.id, conversation: found.match.conversation, users: [user, target].sorted(), by: user,
                    in: transaction)
            }
        }
    }

    func unblock(_ target: UserID, by user: UserID) async throws {
        try await storage.write { transaction in
            let session = transaction.session
            let changed = try session.run(
                "DELETE FROM matching_blocks WHERE user_id = ? AND target_id = ?", user.rawValue, target.rawValue)
            if changed == 1 { transaction.publish(UserUnblocked(by: user, target: target)) }
        }
    }

    func add(_ report: Report) async throws -> ReportID {
        try await storage.write { transaction in
            guard try PairReader.isOpen(report.reporter, in: transaction.session),
                try PairReader.everHadAccount(report.target, in: transaction.session)
            else { throw EdgeError.notFound }
            let id: ReportID = identifiers.next()
            try transaction.session.run(
                """
                INSERT INTO matching_reports (id, reporter_id, target_id, category, text, created_at)
                VALUES (?, ?, ?, ?, ?, ?)
                """, id.rawValue, report.reporter.rawValue, report.target.rawValue, report.category.rawValue, report.text,
                transaction.now.milliseconds)
            try keepEvidence(for: report, as: id, in: transaction)
            transaction.publish(UserReported(report: id, target: report.target))
            return id
        }
    }

    func counterpart(of user: UserID, in conversation: ConversationID) async throws -> UserID {
        let other = try await storage.pointRead { session in
            try session.row(
                """
                SELECT CASE user_a WHEN ?2 THEN user_b ELSE user_a END FROM matching_matches
                WHERE conversation_id = ?1 AND ?2 IN (user_a, user_b)
                """, conversation.rawValue, user.rawValue
            ) { UserID(rawValue: $0.integer(0)) }
        }
        guard let other else { throw EdgeError.notFound }
        return other
    }

    func setGone(_ isGone: Bool, user: UserID, in work: any UnitOfWork) throws {
        let transaction = work.transaction
        for side in ["a", "b"] {
            try transaction.session.statement(
                """
                UPDATE matching_matches SET \(side)_gone_at = ?2
                WHERE user_\(side) = ?1 AND ended_at IS NULL AND (\(side)_gone_at IS NULL) <> (?2 IS NULL)
                """
            ).run([.integer(user.rawValue), isGone ? .time(transaction.now) : .null])
        }
    }

    func relation(of target: UserID, to viewer: UserID) async throws -> Relation {
        try await storage.pointRead { session in
            try session.row(Relation.query, target.rawValue, viewer.rawValue) { Relation($0) }
        } ?? .hidden
    }

    private func end(
        _ match: MatchID, conversation: ConversationID, users: [UserID], by user: UserID, in transaction: WriteTransaction
    ) throws {
        try transaction.session.run(
            "UPDATE matching_matches SET ended_at = ?, ended_by = ? WHERE id = ?", transaction.now.milliseconds, user.rawValue,
            match.rawValue)
        let event = MatchEnded(match: match, conversation: conversation, users: users)
        transaction.publish(event)
        for participant in participants.all { try participant.ended(event, by: user, in: transaction) }
    }
}
