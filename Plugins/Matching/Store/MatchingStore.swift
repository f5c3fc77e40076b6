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
    /// Receives the changes for the hot index.
    let feed: DeckIndexSync
    /// Called for each match in its own transaction.
    let participants: Contributions<any MatchParticipant>
    /// Asked for evidence in the transaction of each report.
    let evidence: Contributions<any EvidenceProviding>
    /// How many of a conversation's newest messages are kept with a report.
    let evidenceMessages: Int
}

// Swipes and the matches they make. A swipe is decided entirely inside its write, and the single writer runs one write at a time.
// Of two likes that cross, the second finds the first.

extension SpatiaLiteMatchingStore {
    func swipe(_ swipe: Swipe, rules: SwipeRules) async throws -> SwipeOutcome {
        try await storage.write { transaction in
            let session = transaction.session
            guard let pair = try PairReader.visiblePair(swipe.user, swipe.target, in: session) else {
                throw EdgeError.notFound
            }
            let before = try standing(swipe, rules: rules, at: transaction.now, in: session)
            // A match that is over hides the person, so it was refused above.
            if pair.relation.isMatched, let match = try PairReader.match(of: swipe.user, swipe.target, in: session) {
                guard before?.action == swipe.action else { throw MatchingError.alreadyMatched }
                return SwipeOutcome(match: match.match, isNewMatch: false, isRepeated: true)
            }
            guard before?.action != swipe.action else { return SwipeOutcome(match: nil, isNewMatch: false, isRepeated: true) }
            try spendLike(swipe, rules: rules, at: transaction.now, in: session)
            if let before { try keepUntilDraw(before, of: swipe.user, on: swipe.target, at: transaction.now, in: session) }
            try put(swipe, at: transaction.now, in: session)
            try count(swipe.user, swipe.target, from: before?.action, to: swipe.action, in: transaction)
            transaction.publish(
                SwipeRecorded(
                    user: swipe.user, target: swipe.target, action: swipe.action, previous: before?.action,
                    isIncognito: pair.isUserIncognito))
            return try answer(
                swipe, wasLike: before?.action.isLike == true, isLiked: pair.relation.hasLikedViewer, in: transaction)
        }
    }

    func undoLastSwipe(of user: UserID, rules: SwipeRules) async throws -> Swipe {
        try await storage.write { transaction in
            let session = transaction.session
            let last = try session.row(
                """
                SELECT target_id, action, swiped_at FROM matching_swipes WHERE user_id = ?
                ORDER BY swiped_at DESC, ordinal DESC LIMIT 1
                """, user
            ) { (target: $0[0] as UserID, action: $0[1] as Int64, at: $0.time(2)) }
            guard let last, let action = SwipeAction(rawValue: last.action), transaction.now - last.at < rules.undoLifetime else {
                throw MatchingError.nothingToUndo
            }
            let target = last.target
            guard try PairReader.match(of: user, target, in: session) == nil else { throw MatchingError.undoMatched }
            try keepUntilDraw(
                Decision(action: action, at: last.at), of: user, on: target, at: transaction.now,
                in: session)
            try session.run("DELETE FROM matching_swipes WHERE user_id = ? AND target_id = ?", user.rawValue, target.rawValue)
            try count(user, target, from: action, to: nil, in: transaction)
            transaction.publish(SwipeUndone(user: user, target: target))
            return Swipe(user: user, target: target, action: action)
        }
    }

    private struct Decision {
        let action: SwipeAction
        let at: Timestamp
    }

    /// The user's current swipe on the target; nil without one or for an expired skip.
    private func standing(_ swipe: Swipe, rules: SwipeRules, at now: Timestamp, in session: SQLSession) throws -> Decision? {
        let found = try session.row(
            "SELECT action, swiped_at FROM matching_swipes WHERE user_id = ? AND target_id = ?", swipe.user, swipe.target
        ) { (action: $0[0] as Int64, at: $0.time(1)) }
        guard let found, let action = SwipeAction(rawValue: found.action) else { return nil }
        let at = found.at
        let age = now - at
        // A skip from the future was recorded before the clock was set back; it counts as expired.
        let isOver = action == .skip && (age >= rules.skipLifetime || age < .zero)
        return isOver ? nil : Decision(action: action, at: at)
    }

    /// Records a pass of an earlier day that ends now, so that it counts until the day ends. If the user came back into the
    /// target's deck at once, that would reveal the pass.
    private func keepUntilDraw(
        _ decision: Decision, of user: UserID, on target: UserID, at now: Timestamp, in session: SQLSession
    ) throws {
        let today = now.date
        guard decision.action == .pass, decision.at < today.startOfDay else { return }
        try session.run(
            "DELETE FROM matching_withdrawn_passes WHERE user_id = ? AND day < ?", user.rawValue, today.daysSinceEpoch)
        try session.run(
            "INSERT INTO matching_withdrawn_passes (user_id, target_id, day) VALUES (?, ?, ?) ON CONFLICT (user_id, target_id) DO UPDATE SET day = excluded.day",
            user.rawValue,
            target.rawValue, today.daysSinceEpoch)
    }

    /// Counts a like, or refuses it if the day's limit is reached. Undoing a like does not give it back.
    private func spendLike(_ swipe: Swipe, rules: SwipeRules, at now: Timestamp, in session: SQLSession) throws {
        guard let limit = rules.limit(of: swipe.action) else { return }
        let (today, user, isSuperlike) = (now.date, swipe.user.rawValue, swipe.action == .superlike)
        let last = try session.row("SELECT day, likes, superlikes FROM matching_spent WHERE user_id = ?", user) {
            (day: $0.integer(0), spent: $0[isSuperlike ? 2 : 1] as Int)
        }
        let isToday = last?.day == today.daysSinceEpoch
        let spent = isToday ? last?.spent ?? 0 : 0
        guard spent < limit else { throw MatchingError.dailyLimit(today.startOfDay + .days(1) - now) }
        if !isToday {
            try session.run(
                "INSERT INTO matching_spent (user_id, day, likes, superlikes) VALUES (?, ?, 0, 0) ON CONFLICT (user_id) DO UPDATE SET day = excluded.day, likes = 0, superlikes = 0",
                user,
                today.daysSinceEpoch)
            try session.run("DELETE FROM matching_like_notices WHERE user_id = ? AND day <> ?", user, today.daysSinceEpoch)
        }
        try session.run(
            "UPDATE matching_spent SET likes = likes + ?, superlikes = superlikes + ? WHERE user_id = ?", isSuperlike ? 0 : 1,
            isSuperlike ? 1 : 0, user)
    }

    /// Publishes a like to its target: at most once a day, and only if the target may learn of it.
    private func tell(_ swipe: Swipe, in transaction: WriteTransaction) throws {
        let (session, today) = (transaction.session, transaction.now.date)
        let people = CandidateReader(session: session, today: today)
        guard let liker = try people.candidate(swipe.user), let liked = try people.candidate(swipe.target),
            liker.mayShowLike(to: liked)
        else { return }
        let changed = try session.run(
            """
            INSERT INTO matching_like_notices (user_id, target_id, day) VALUES (?, ?, ?)
            ON CONFLICT (user_id, target_id) DO UPDATE SET day = excluded.day
            WHERE matching_like_notices.day <> excluded.day
            """, swipe.user.rawValue, swipe.target.rawValue, today.daysSinceEpoch)
        guard changed == 1 else { return }
        transaction.publish(LikeReceived(from: swipe.user, to: swipe.target, isSuperlike: swipe.action == .superlike))
    }

    private func put(_ swipe: Swipe, at now: Timestamp, in session: SQLSession) throws {
        try session.run(
            """
            INSERT INTO matching_swipes (user_id, target_id, action, swiped_at, ordinal) VALUES (?1, ?2, ?3, ?4, coalesce(
                (SELECT ordinal + 1 FROM matching_swipes WHERE user_id = ?1 AND swiped_at = ?4 ORDER BY ordinal DESC LIMIT 1), 0))
            ON CONFLICT (user_id, target_id) DO UPDATE
            SET action = excluded.action, swiped_at = excluded.swiped_at, ordinal = excluded.ordinal
            """, swipe.user, swipe.target, swipe.action.rawValue, now)
    }

    /// Makes the match if the like is mutual; otherwise publishes the like.
    private func answer(
        _ swipe: Swipe, wasLike: Bool, isLiked: Bool, in transaction: WriteTransaction
    ) throws -> SwipeOutcome {
        guard swipe.action.isLike else { return SwipeOutcome(match: nil, isNewMatch: false, isRepeated: false) }
        let session = transaction.session
        guard isLiked else {
            if !wasLike { try tell(swipe, in: transaction) }
            return SwipeOutcome(match: nil, isNewMatch: false, isRepeated: false)
        }
        let match = Match(
            id: identifiers.next(), conversation: identifiers.next(), other: swipe.target, createdAt: transaction.now)
        let pair = [swipe.user, swipe.target].sorted()
        let changed = try session.run(
            """
            INSERT INTO matching_matches (id, conversation_id, user_a, user_b, created_at)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (user_a, user_b) DO NOTHING
            """, match.id.rawValue, match.conversation.rawValue, pair[0].rawValue, pair[1].rawValue, match.createdAt.milliseconds)
        guard changed == 1 else { throw EdgeError.notFound }
        let event = MatchCreated(match: match.id, conversation: match.conversation, users: pair, by: swipe.user)
        transaction.publish(event)
        for participant in participants.all { try participant.matched(event, in: transaction) }
        return SwipeOutcome(match: match, isNewMatch: true, isRepeated: false)
    }
}

// The numbers of likes, passes and decks of each person, for the score only. They are updated in the swipe's transaction. A score
// uses their values at the beginning of the day, so the row keeps those and the current ones.

extension SpatiaLiteMatchingStore {
    /// Updates the counts of both people when a swipe is made, replaced or undone.
    func count(
        _ user: UserID, _ target: UserID, from before: SwipeAction?, to after: SwipeAction?, in transaction: WriteTransaction
    ) throws {
        func change(_ matches: (SwipeAction) -> Bool) -> Int64 {
            (after.map(matches) == true ? 1 : 0) - (before.map(matches) == true ? 1 : 0)
        }
        let (likes, passes) = (change(\.isLike), change { $0 == .pass })
        guard likes != 0 || passes != 0 else { return }
        let day = Int64(transaction.now.dayNumber)
        let session = transaction.session
        // Two statements are faster than RETURNING, for which SQLite opens a table of its own each time.
        func counts(_ sql: String, of user: UserID) throws -> DailyCounts {
            let values: [SQLValue] = [.integer(user.rawValue), .integer(day), .integer(likes), .integer(passes)]
            try session.statement(sql).run(values)
            return try session.statement(Self.counts).row([.integer(user.rawValue)]) { DailyCounts($0) } ?? DailyCounts()
        }
        let (given, received) = (try counts(Self.countGiven, of: user), try counts(Self.countReceived, of: target))
        transaction.afterCommit { [feed] in
            feed.apply([.count(user, given), .count(target, received)], of: [user, target])
        }
    }

    /// Starts the day ?2 in a row whose last change was on an earlier day.
    private static let begin = """
        day = CASE WHEN day < ?2 THEN ?2 ELSE day END,
        shown_before = CASE WHEN day = ?2 - 1 THEN shown WHEN day < ?2 THEN 0 ELSE shown_before END,
        likes_given_before = CASE WHEN day < ?2 THEN likes_given ELSE likes_given_before END,
        passes_given_before = CASE WHEN day < ?2 THEN passes_given ELSE passes_given_before END,
        likes_received_before = CASE WHEN day < ?2 THEN likes_received ELSE likes_received_before END,
        passes_received_before = CASE WHEN day < ?2 THEN passes_received ELSE passes_received_before END
        """

    private static let counts =
        "SELECT \(DailyCounts.columns.joined(separator: ", ")) FROM matching_tallies WHERE user_id = ?1"

    private static let countGiven = """
        INSERT INTO matching_tallies (user_id, day, likes_given, passes_given)
            VALUES (?1, ?2, CASE WHEN ?3 > 0 THEN ?3 ELSE 0 END, CASE WHEN ?4 > 0 THEN ?4 ELSE 0 END)
        ON CONFLICT (user_id) DO UPDATE SET \(begin), shown = CASE WHEN day < ?2 THEN 0 ELSE shown END,
            likes_given = CASE WHEN likes_given + ?3 > 0 THEN likes_given + ?3 ELSE 0 END,
            passes_given = CASE WHEN passes_given + ?4 > 0 THEN passes_given + ?4 ELSE 0 END
        """

    private static let countReceived = """
        INSERT INTO matching_tallies (user_id, day, likes_received, passes_received)
            VALUES (?1, ?2, CASE WHEN ?3 > 0 THEN ?3 ELSE 0 END, CASE WHEN ?4 > 0 THEN ?4 ELSE 0 END)
        ON CONFLICT (user_id) DO UPDATE SET \(begin), shown = CASE WHEN day < ?2 THEN 0 ELSE shown END,
            likes_received = CASE WHEN likes_received + ?3 > 0 THEN likes_received + ?3 ELSE 0 END,
            passes_received = CASE WHEN passes_received + ?4 > 0 THEN passes_received + ?4 ELSE 0 END
        """

    func addShown(_ shown: [UserID: Int], on day: UInt16) async throws {
        try await storage.write { [feed] transaction in
            let statement = try transaction.session.statement(Self.countShown)
            var changes: [DeckIndex.Change] = []
            for (user, count) in shown {
                let counts = try statement.row([.integer(user.rawValue), .integer(Int64(day)), .integer(Int64(count))]) {
                    DailyCounts($0)
                }
                // No row came back: the person's next day has begun, so the old day is closed.
                if let counts { changes.append(.count(user, counts)) }
            }
            let made = changes
            transaction.afterCommit { feed.apply(made, of: Array(shown.keys)) }
        }
    }

    private static let countShown = """
        INSERT INTO matching_tallies (user_id, day, shown) VALUES (?1, ?2, ?3)
        ON CONFLICT (user_id) DO UPDATE SET \(begin), shown = CASE WHEN day < ?2 THEN 0 ELSE shown END + ?3 WHERE day <= ?2
        RETURNING \(DailyCounts.columns.joined(separator: ", "))
        """

    /// Counts all swipes again, after a bulk load. Each part reads an index in the order of its result, so nothing is sorted.
    static let recount = """
        INSERT INTO matching_tallies (user_id, likes_given, passes_given)
            SELECT user_id, SUM(action IN (1, 2)), SUM(action = 0) FROM matching_swipes GROUP BY user_id
            ON CONFLICT (user_id) DO UPDATE SET likes_given = excluded.likes_given, passes_given = excluded.passes_given;
        INSERT INTO matching_tallies (user_id, likes_received)
            SELECT target_id, COUNT(*) FROM matching_swipes WHERE action IN (1, 2) GROUP BY target_id
            ON CONFLICT (user_id) DO UPDATE SET likes_received = excluded.likes_received;
        INSERT INTO matching_tallies (user_id, passes_received)
            SELECT target_id, COUNT(*) FROM matching_swipes WHERE action IN (0, 3) AND action = 0 GROUP BY target_id
            ON CONFLICT (user_id) DO UPDATE SET passes_received = excluded.passes_received;
        """

    /// Copies the current counts to those of the beginning of the day.
    static let settleTallies = """
        UPDATE matching_tallies SET likes_given_before = likes_given, passes_given_before = passes_given,
            likes_received_before = likes_received, passes_received_before = passes_received;
        """
}

extension DailyCounts {
    /// The columns of `matching_tallies` that a row is read from.
    static let columns = [
        "day", "shown_before", "shown", "likes_given_before", "passes_given_before", "likes_received_before",
        "passes_received_before", "likes_given", "passes_given", "likes_received", "passes_received",
    ]

    /// - Parameter first: the position of the first of `columns` in the row. A missing row reads as zeros (LEFT JOIN).
    init(_ row: borrowing SQLRow, from first: Int32 = 0) {
        func tally(_ start: Int32, _ row: borrowing SQLRow) -> SwipeTally {
            SwipeTally(
                likesGiven: Int(row.integer(first + start)), passesGiven: Int(row.integer(first + start + 1)),
                likesReceived: Int(row.integer(first + start + 2)), passesReceived: Int(row.integer(first + start + 3)))
        }
        self.init(
            day: UInt16(clamping: row.integer(first)), tallyBefore: tally(3, row), tally: tally(7, row),
            shownBefore: UInt8(clamping: row.integer(first + 1)), shown: UInt8(clamping: row.integer(first + 2)))
    }
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
