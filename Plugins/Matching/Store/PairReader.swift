import SparkCore
import SparkStorage

/// Reads the rows about two people inside a write.
enum PairReader {
    /// A user and a target that the user decides about.
    struct OpenPair {
        let isUserIncognito: Bool
        let relation: Relation
    }

    /// Nil unless the first person has an open account and may see the second. The same rule as for `GET /users/{id}`, so
    /// that no action reveals a hidden person. Everything is read in every case, so that the time reveals nothing either.
    static func visiblePair(_ user: UserID, _ target: UserID, in session: SQLSession) throws -> OpenPair? {
        let (mine, theirs) = (try visibility(of: user, in: session), try visibility(of: target, in: session))
        let relation = try relation(of: target, to: user, in: session)
        guard let mine, let theirs, relation.shows(theirs) else { return nil }
        return OpenPair(isUserIncognito: mine.isIncognito, relation: relation)
    }

    /// The first person's swipe on the second; nil without one.
    static func decision(of user: UserID, on target: UserID, in session: SQLSession) throws -> SwipeAction? {
        try session.value("SELECT action FROM matching_swipes WHERE user_id = ? AND target_id = ?", user, target, as: Int64.self)
            .flatMap { SwipeAction(rawValue: $0) }
    }

    /// Nil for an unknown person or a closed account.
    private static func visibility(of user: UserID, in session: SQLSession) throws -> Visibility? {
        try session.row("SELECT paused, incognito FROM profiles_users WHERE id = ? AND closed = 0", user) {
            Visibility(isPaused: $0.flag(0), isIncognito: $0.flag(1))
        }
    }

    static func relation(of target: UserID, to user: UserID, in session: SQLSession) throws -> Relation {
        let statement = try session.statement(Relation.query)
        return try statement.row([.integer(target.rawValue), .integer(user.rawValue)]) { Relation($0) } ?? .hidden
    }

    /// Whether a person has an open account.
    static func isOpen(_ user: UserID, in session: SQLSession) throws -> Bool {
        try visibility(of: user, in: session) != nil
    }

    /// Whether a person has or ever had an account. Blocks and reports require no more: their protection must not depend on what
    /// the other person does with the account, nor reveal it.
    static func everHadAccount(_ user: UserID, in session: SQLSession) throws -> Bool {
        return try session.value(
            """
            SELECT EXISTS (SELECT 1 FROM profiles_users WHERE id = ?1)
                OR EXISTS (SELECT 1 FROM accounts_erased WHERE id = ?1)
            """, user.rawValue, as: Bool.self) ?? false
    }

    /// Whether either person blocked the other.
    static func isBlocked(_ user: UserID, _ target: UserID, in session: SQLSession) throws -> Bool {
        try relation(of: target, to: user, in: session).isBlocked
    }

    /// The match of two people from the side of the first, live or over.
    static func match(of user: UserID, _ target: UserID, in session: SQLSession) throws -> (match: Match, isLive: Bool)? {
        try session.row(
            """
            SELECT id, conversation_id, created_at, ended_at IS NULL FROM matching_matches
            WHERE user_a = ? AND user_b = ?
            """, min(user, target), max(user, target)
        ) { (Match(id: $0[0], conversation: $0[1], other: target, createdAt: $0[2]), $0.flag(3)) }
    }
}
