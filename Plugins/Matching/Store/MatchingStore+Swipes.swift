import SparkCore
import SparkDecks
import SparkKit
import SparkStorage

// Swipes and the matches they make. A swipe is decided entirely inside its write, and the single writer runs one write at a time.
// Of two likes that cross, the second finds the first.

extension SpatiaLiteMatchingStore {
    func swipe(_ swipe: Swipe, rules: SwipeRules) async throws -> SwipeOutcome {
        try await storage.write { transaction in
            let session = transaction.session
            guard let pair = try PairReader.visiblePair(swipe.user, swipe.target, in: session) else {
                throw EdgeError.notFound
            }
            let before = try decision(of: swipe.user, on: swipe.target, rules: rules, at: transaction.now, in: session)
            // A match that is over hides the person, so it was refused above.
            if pair.relation.isMatched, let match = try PairReader.match(of: swipe.user, swipe.target, in: session) {
                guard before?.action == swipe.action else { throw MatchingError.alreadyMatched }
                return SwipeOutcome(match: match.match, isNewMatch: false, isRepeated: true)
            }
            guard before?.action != swipe.action else { return SwipeOutcome(match: nil, isNewMatch: false, isRepeated: true) }
            try spendLike(swipe, rules: rules, at: transaction.now, in: session)
            if let before {
                try keep(before, of: swipe.user, on: swipe.target, after: swipe.action, at: transaction.now, in: session)
            }
            let isAnnounced = try announces(
                swipe, after: before, isLiked: pair.relation.hasLikedViewer, at: transaction.now, in: session)
            let wasAnnounced = swipe.action.isLike && before?.isAnnounced(on: transaction.now.date) == true
            try put(swipe, isAnnounced: isAnnounced || wasAnnounced, at: transaction.now, in: session)
            try count(swipe.user, swipe.target, from: before?.action, to: swipe.action, in: transaction)
            transaction.publish(
                SwipeRecorded(
                    user: swipe.user, target: swipe.target, action: swipe.action, previous: before?.action,
                    isIncognito: pair.isUserIncognito))
            if isAnnounced {
                transaction.publish(
                    LikeReceived(from: swipe.user, to: swipe.target, isSuperlike: swipe.action == .superlike))
            }
            guard swipe.action.isLike, pair.relation.hasLikedViewer else {
                return SwipeOutcome(match: nil, isNewMatch: false, isRepeated: false)
            }
            return try makeMatch(swipe, in: transaction)
        }
    }

    func undoLastSwipe(of user: UserID, rules: SwipeRules) async throws -> Swipe {
        // No index is kept for this rare query, so it reads all swipes of the user: not on the writer's thread. A swipe that
        // arrives meanwhile comes after the undo.
        for _ in 0..<8 {
            guard let last = try await storage.read({ try Self.lastSwipe(of: user, in: $0) }) else {
                throw MatchingError.nothingToUndo
            }
            if let undone = try await undo(last, of: user, rules: rules) { return undone }
        }
        throw StorageError.busy
    }

    /// Undoes a swipe.
    /// - Returns: Nil if the swipe was replaced or undone meanwhile.
    private func undo(_ last: LastSwipe, of user: UserID, rules: SwipeRules) async throws -> Swipe? {
        try await storage.write { transaction in
            let (session, target) = (transaction.session, last.target)
            guard let stored = try Self.decision(of: user, on: target, in: session), stored == last.decision else { return nil }
            guard transaction.now - stored.at < rules.undoLifetime else { throw MatchingError.nothingToUndo }
            guard try PairReader.match(of: user, target, in: session) == nil else { throw MatchingError.undoMatched }
            try keep(stored, of: user, on: target, after: nil, at: transaction.now, in: session)
            try session.run("DELETE FROM matching_swipes WHERE user_id = ? AND target_id = ?", user.rawValue, target.rawValue)
            try count(user, target, from: stored.action, to: nil, in: transaction)
            transaction.publish(SwipeUndone(user: user, target: target))
            return Swipe(user: user, target: target, action: stored.action)
        }
    }

    private struct LastSwipe: Sendable {
        let target: UserID
        let decision: Decision
    }

    private static func lastSwipe(of user: UserID, in session: SQLSession) throws -> LastSwipe? {
        try session.row(
            """
            SELECT \(Decision.columns), target_id FROM matching_swipes WHERE user_id = ?
            ORDER BY swiped_at DESC, ordinal DESC, target_id DESC LIMIT 1
            """, user
        ) { row in Decision(row).map { LastSwipe(target: row[4], decision: $0) } } ?? nil
    }

    private static func decision(of user: UserID, on target: UserID, in session: SQLSession) throws -> Decision? {
        try session.row(
            "SELECT \(Decision.columns) FROM matching_swipes WHERE user_id = ? AND target_id = ?", user, target
        ) { Decision($0) } ?? nil
    }

    /// A stored swipe.
    private struct Decision: Hashable, Sendable {
        let action: SwipeAction
        let at: Timestamp
        let ordinal: Int64
        /// A like that was announced to the other person.
        let isAnnounced: Bool

        /// The columns that `init` reads.
        static let columns = "action, swiped_at, ordinal, is_announced"

        /// Nil for an unknown action, which the table's constraints rule out.
        init?(_ row: borrowing SQLRow) {
            guard let action = SwipeAction(rawValue: row.integer(0)) else { return nil }
            self.action = action
            self.at = row.time(1)
            self.ordinal = row.integer(2)
            self.isAnnounced = row.flag(3)
        }

        /// Whether this like was announced to the other person on a day.
        func isAnnounced(on day: CivilDate) -> Bool { isAnnounced && at >= day.startOfDay }
    }

    /// The user's current swipe on the target; nil without one or for an expired skip.
    private func decision(
        of user: UserID, on target: UserID, rules: SwipeRules, at now: Timestamp, in session: SQLSession
    ) throws -> Decision? {
        guard let found = try Self.decision(of: user, on: target, in: session) else { return nil }
        let age = now - found.at
        // A skip from the future was recorded before the clock was set back; it counts as expired.
        let isOver = found.action == .skip && (age >= rules.skipLifetime || age < .zero)
        return isOver ? nil : found
    }

    /// Keeps what a swipe that ends now has brought about on this day.
    ///
    /// A pass of an earlier day counts until this day ends: if the user came back into the target's deck at once, that would
    /// reveal the pass. A like that was announced on this day is not announced again on it.
    /// - Parameter next: The action that takes its place; nil for an undo.
    private func keep(
        _ decision: Decision, of user: UserID, on target: UserID, after next: SwipeAction?, at now: Timestamp,
        in session: SQLSession
    ) throws {
        let today = now.date
        if decision.isAnnounced(on: today), next?.isLike != true {
            try session.run(
                """
                INSERT INTO matching_like_notices (user_id, target_id, day) VALUES (?, ?, ?)
                ON CONFLICT (user_id, target_id) DO UPDATE SET day = excluded.day
                """, user, target, today.daysSinceEpoch)
        }
        guard decision.action == .pass, decision.at < today.startOfDay else { return }
        try session.run("DELETE FROM matching_withdrawn_passes WHERE user_id = ? AND day < ?", user, today.daysSinceEpoch)
        try session.run(
            """
            INSERT INTO matching_withdrawn_passes (user_id, target_id, day) VALUES (?, ?, ?)
            ON CONFLICT (user_id, target_id) DO UPDATE SET day = excluded.day
            """, user, target, today.daysSinceEpoch)
    }

    /// Counts a like, or refuses it if the day's limit is reached. Undoing a like does not give it back.
    private func spendLike(_ swipe: Swipe, rules: SwipeRules, at now: Timestamp, in session: SQLSession) throws {
        guard let limit = rules.limit(of: swipe.action) else { return }
        let (today, user, isSuperlike) = (now.date, swipe.user.rawValue, swipe.action == .superlike)
        let values: [SQLValue] = [.integer(user), .integer(Int64(today.daysSinceEpoch)), .integer(Int64(limit))]
        guard try session.statement(isSuperlike ? Self.spendSuperlike : Self.spendLike).run(values) == 0 else { return }
        // Either the limit is reached, or this is the user's first like of the day.
        let day = try session.value("SELECT day FROM matching_spent WHERE user_id = ?", user, as: Int.self)
        guard day != Int(today.daysSinceEpoch), limit > 0 else {
            throw MatchingError.dailyLimit(today.startOfDay + .days(1) - now)
        }
        try session.run(
            """
            INSERT INTO matching_spent (user_id, day, likes, superlikes) VALUES (?, ?, ?, ?)
            ON CONFLICT (user_id) DO UPDATE SET day = excluded.day, likes = excluded.likes, superlikes = excluded.superlikes
            """, user, today.daysSinceEpoch, isSuperlike ? 0 : 1, isSuperlike ? 1 : 0)
        try session.run("DELETE FROM matching_like_notices WHERE user_id = ? AND day <> ?", user, today.daysSinceEpoch)
    }

    private static let spendLike =
        "UPDATE matching_spent SET likes = likes + 1 WHERE user_id = ? AND day = ? AND likes < ?"
    private static let spendSuperlike =
        "UPDATE matching_spent SET superlikes = superlikes + 1 WHERE user_id = ? AND day = ? AND superlikes < ?"

    /// Whether a new like is announced to the target: at most once a day, only if the target may learn of it, and not of a like that
    /// makes a match.
    private func announces(
        _ swipe: Swipe, after before: Decision?, isLiked: Bool, at now: Timestamp, in session: SQLSession
    ) throws -> Bool {
        guard swipe.action.isLike, !isLiked, before?.action.isLike != true else { return false }
        let people = CandidateReader(session: session, today: now.date)
        guard let liker = try people.candidate(swipe.user), let liked = try people.candidate(swipe.target),
            liker.mayShowLike(to: liked)
        else { return false }
        let told = try session.value(
            "SELECT day FROM matching_like_notices WHERE user_id = ? AND target_id = ?", swipe.user, swipe.target, as: Int.self)
        return told != Int(now.date.daysSinceEpoch)
    }

    private func put(_ swipe: Swipe, isAnnounced: Bool, at now: Timestamp, in session: SQLSession) throws {
        try session.statement(
            """
            INSERT INTO matching_swipes (user_id, target_id, action, swiped_at, ordinal, is_announced) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (user_id, target_id) DO UPDATE SET action = excluded.action, swiped_at = excluded.swiped_at,
                ordinal = excluded.ordinal, is_announced = excluded.is_announced
            """
        ).run([
            .integer(swipe.user.rawValue), .integer(swipe.target.rawValue), .integer(swipe.action.rawValue), .time(now),
            .integer(order.next(at: now)), .integer(isAnnounced ? 1 : 0),
        ])
    }

    private func makeMatch(_ swipe: Swipe, in transaction: WriteTransaction) throws -> SwipeOutcome {
        let session = transaction.session
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
