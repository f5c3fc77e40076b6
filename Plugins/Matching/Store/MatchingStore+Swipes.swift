import SparkCore
import SparkDecks
import SparkKit
import SparkStorage

// Swipes and the matches they make. All of a swipe is decided inside its write, and the one writer runs writes one after the
// other: of two likes that cross, the second one finds the first.

extension SpatiaLiteMatchingStore {
    func swipe(_ swipe: Swipe, rules: SwipeRules) async throws -> SwipeOutcome {
        try await storage.write { transaction in
            let session = transaction.session
            guard let pair = try PairReader.visiblePair(swipe.user, swipe.target, in: session) else {
                throw EdgeError.notFound
            }
            let before = try standing(swipe, rules: rules, at: transaction.now, in: session)
            if let match = try PairReader.match(of: swipe.user, swipe.target, in: session) {
                guard match.isLive else { throw EdgeError.notFound }
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

    /// What the user's swipe on the target is now; a skip that has run out counts as none.
    private func standing(_ swipe: Swipe, rules: SwipeRules, at now: Timestamp, in session: SQLSession) throws -> Decision? {
        let found = try session.row(
            "SELECT action, swiped_at FROM matching_swipes WHERE user_id = ? AND target_id = ?", swipe.user, swipe.target
        ) { (action: $0[0] as Int64, at: $0.time(1)) }
        guard let found, let action = SwipeAction(rawValue: found.action) else { return nil }
        let at = found.at
        let age = now - at
        // A skip from the future is of a clock that was put back since.
        let isOver = action == .skip && (age >= rules.skipLifetime || age < .zero)
        return isOver ? nil : Decision(action: action, at: at)
    }

    /// Notes a pass of an earlier day that ends now. The deck that it keeps its user out of was drawn when the day began; if the user came
    /// back into it at once, that would reveal the pass.
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

    /// Spends a like, or refuses it when the day has no more. What is spent stays spent: a like that is taken back was given.
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

    /// Publishes a like to its target, at most once a day, and only if the target may learn of it.
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
        let ordinal = try session.value(
            """
            SELECT ordinal + 1 FROM matching_swipes WHERE user_id = ? AND swiped_at = ?
            ORDER BY ordinal DESC LIMIT 1
            """, swipe.user.rawValue, now.milliseconds, as: Int64.self)
        try session.run(
            """
            INSERT INTO matching_swipes (user_id, target_id, action, swiped_at, ordinal) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (user_id, target_id) DO UPDATE
            SET action = excluded.action, swiped_at = excluded.swiped_at, ordinal = excluded.ordinal
            """, swipe.user.rawValue, swipe.target.rawValue, swipe.action.rawValue, now.milliseconds, ordinal ?? 0)
    }

    /// Makes the match if the other one likes back; else tells of the like.
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
