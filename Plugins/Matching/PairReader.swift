import GRDB
import SparkCore

/// What the rows say about two people, inside a write.
enum PairReader {
    struct OpenPair {
        let isFirstIncognito: Bool
    }

    /// Both exist and have not closed their accounts.
    static func areOpen(_ user: UserID, _ target: UserID, in database: Database) throws -> Bool {
        try openPair(user, target, in: database) != nil
    }

    /// Nil unless both exist and have not closed their accounts.
    static func openPair(
        _ user: UserID, _ target: UserID, in database: Database
    ) throws -> OpenPair? {
        let statement = try database.cachedStatement(
            sql: "SELECT COUNT(*), TOTAL(id = ?1 AND incognito) FROM profiles_users WHERE id IN (?1, ?2) AND closed = 0")
        guard let row = try Row.fetchOne(statement, arguments: [user.rawValue, target.rawValue]), row[0] as Int == 2 else {
            return nil
        }
        return OpenPair(isFirstIncognito: row[1] as Double > 0)
    }

    /// In either direction.
    static func isBlocked(_ user: UserID, _ target: UserID, in database: Database) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?1 AND target_id = ?2)
                    OR EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?2 AND target_id = ?1)
                """)
        return try Bool.fetchOne(statement, arguments: [user.rawValue, target.rawValue]) ?? false
    }

    /// Whether one likes or superlikes the other.
    static func likes(_ user: UserID, _ target: UserID, in database: Database) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: "SELECT action IN (1, 2) FROM matching_swipes WHERE user_id = ? AND target_id = ?")
        return try Bool.fetchOne(statement, arguments: [user.rawValue, target.rawValue]) ?? false
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
