import GRDB
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
    static func visiblePair(_ user: UserID, _ target: UserID, in database: Database) throws -> OpenPair? {
        let (mine, theirs) = (try visibility(of: user, in: database), try visibility(of: target, in: database))
        let relation = try relation(of: target, to: user, in: database)
        guard let mine, let theirs, relation.shows(theirs) else { return nil }
        return OpenPair(isUserIncognito: mine.isIncognito, relation: relation)
    }

    /// Nil for nobody and for closed accounts.
    private static func visibility(of user: UserID, in database: Database) throws -> Visibility? {
        let statement = try database.cachedStatement(sql: "SELECT closed, paused, incognito FROM profiles_users WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [user.rawValue]), row[0] as Int == 0 else { return nil }
        return Visibility(isPaused: row[1], isIncognito: row[2])
    }

    static func relation(of target: UserID, to user: UserID, in database: Database) throws -> Relation {
        let statement = try RawStatement(Relation.query, in: database)
        return try statement.row([.integer(target.rawValue), .integer(user.rawValue)]) { Relation($0) } ?? .hidden
    }

    /// Whether somebody has an account that is not closed.
    static func isOpen(_ user: UserID, in database: Database) throws -> Bool {
        try visibility(of: user, in: database) != nil
    }

    /// Whether somebody has or ever had an account. Blocks and reports ask for no more: who is protected by them must not depend on what
    /// the other one does with their account, and not learn it either.
    static func everHadAccount(_ user: UserID, in database: Database) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM profiles_users WHERE id = ?1)
                    OR EXISTS (SELECT 1 FROM accounts_erased WHERE id = ?1)
                """)
        return try Bool.fetchOne(statement, arguments: [user.rawValue]) ?? false
    }

    /// In either direction.
    static func isBlocked(_ user: UserID, _ target: UserID, in database: Database) throws -> Bool {
        try relation(of: target, to: user, in: database).isBlocked
    }

    /// The match of a pair as the first of them sees it, over or not.
    static func match(of user: UserID, _ target: UserID, in database: Database) throws -> (match: Match, isLive: Bool)? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT id, conversation_id, created_at, ended_at IS NULL FROM matching_matches
                WHERE user_a = ? AND user_b = ?
                """)
        let pair = [user.rawValue, target.rawValue].sorted()
        guard let row = try Row.fetchOne(statement, arguments: [pair[0], pair[1]]) else { return nil }
        let match = Match(
            id: MatchID(rawValue: row[0]), conversation: ConversationID(rawValue: row[1]), other: target,
            createdAt: Timestamp(milliseconds: row[2]))
        return (match, row[3])
    }
}
