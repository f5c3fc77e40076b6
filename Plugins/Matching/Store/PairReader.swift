import SparkCore
import SparkStorage

/// What the rows say about two people, inside a write.
enum PairReader {
    /// Two people; the first decides about the second.
    struct OpenPair {
        let isUserIncognito: Bool
        let relation: Relation
    }

    /// Nil unless the first has an open account and may see the second: the same rule as at `GET /users/{id}`, so that no act tells who
    /// hides. All of it is read whatever the first part says, so that the time does not tell, either.
    static func visiblePair(_ user: UserID, _ target: UserID, in session: SQLSession) throws -> OpenPair? {
        let (mine, theirs) = (try visibility(of: user, in: session), try visibility(of: target, in: session))
        let relation = try relation(of: target, to: user, in: session)
        guard let mine, let theirs, relation.shows(theirs) else { return nil }
        return OpenPair(isUserIncognito: mine.isIncognito, relation: relation)
    }

    /// What the first person's swipe on the second was; nil without one.
    static func decision(of user: UserID, on target: UserID, in session: SQLSession) throws -> SwipeAction? {
        try session.value("SELECT action FROM matching_swipes WHERE user_id = ? AND target_id = ?", user, target, as: Int64.self)
            .flatMap { SwipeAction(rawValue: $0) }
    }

    /// Nil for nobody and for closed accounts.
    private static func visibility(of user: UserID, in session: SQLSession) throws -> Visibility? {
        try session.row("SELECT paused, incognito FROM profiles_users WHERE id = ? AND closed = 0", user) {
            Visibility(isPaused: $0.flag(0), isIncognito: $0.flag(1))
        }
    }

    static func relation(of target: UserID, to user: UserID, in session: SQLSession) throws -> Relation {
        let statement = try session.statement(Relation.query)
        return try statement.row([.integer(target.rawValue), .integer(user.rawValue)]) { Relation($0) } ?? .hidden
    }

    /// Whether somebody has an account that is not closed.
    static func isOpen(_ user: UserID, in session: SQLSession) throws -> Bool {
        try visibility(of: user, in: session) != nil
    }

    /// Whether somebody has or ever had an account. Blocks and reports ask for no more: who is protected by them must not depend on what
    /// the other one does with their account, and not learn it either.
    static func everHadAccount(_ user: UserID, in session: SQLSession) throws -> Bool {
        return try session.value(
            """
            SELECT EXISTS (SELECT 1 FROM profiles_users WHERE id = ?1)
                OR EXISTS (SELECT 1 FROM accounts_erased WHERE id = ?1)
            """, user.rawValue, as: Bool.self) ?? false
    }

    /// In either direction.
    static func isBlocked(_ user: UserID, _ target: UserID, in session: SQLSession) throws -> Bool {
        try relation(of: target, to: user, in: session).isBlocked
    }

    /// The match of a pair as the first of them sees it, over or not.
    static func match(of user: UserID, _ target: UserID, in session: SQLSession) throws -> (match: Match, isLive: Bool)? {
        try session.row(
            """
            SELECT id, conversation_id, created_at, ended_at IS NULL FROM matching_matches
            WHERE user_a = ? AND user_b = ?
            """, min(user, target), max(user, target)
        ) { (Match(id: $0[0], conversation: $0[1], other: target, createdAt: $0[2]), $0.flag(3)) }
    }
}
