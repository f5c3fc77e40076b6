import Foundation
import SparkCore
import SparkKit
import SparkStorage

/// The tables, with the export and the erasure of one person's rows. Exports contain no password, token or network hash.
enum AccountsTables {
    static let all: [TableDeclaration] = [users, sessions, refreshTokens, knownNetworks, resets, erased]

    private static let users = TableDeclaration.userLinked(
        "accounts_users",
        export: { sql, user in
            try sql.rows("SELECT email, created_at, closed_at, suspended_at FROM accounts_users WHERE id = ?", user.rawValue) {
                row in
                [
                    "id": .string(user.wire), "email": .string(row[0]), "created_at": instant(row[1]),
                    "closed_at": instant(row[2]), "suspended_at": instant(row[3]),
                ]
            }
        },
        erase: TableDeclaration.erasing("DELETE FROM accounts_users WHERE id = ?"))

    private static let sessions = TableDeclaration.userLinked(
        "accounts_sessions",
        exportPage: { sql, user, page in
            try sql.statement(
                """
                SELECT id, created_at, last_used_at, revoked_at, label, confirmed_at FROM accounts_sessions
                WHERE user_id = ?1 AND id > ?2 ORDER BY id
                """
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let session: JSONValue = [
                    "id": .string(SessionID(rawValue: row.integer(0)).wire), "created_at": instant(row.integer(1)),
                    "last_used_at": instant(row.integer(2)), "revoked_at": instant(row.optional(3)),
                    "label": .string(row.text(4)), "confirmed_at": instant(row.integer(5)),
                ]
                return page.append(session, at: [.integer(row.integer(0))])
            }
        },
        eraseStep: TableDeclaration.step(
            """
            DELETE FROM accounts_sessions WHERE id IN (
                SELECT id FROM accounts_sessions s WHERE user_id = ?1
                    AND NOT EXISTS (SELECT 1 FROM accounts_refresh_tokens WHERE session_id = s.id) LIMIT ?2)
            """),
        erase: TableDeclaration.erasing("DELETE FROM accounts_sessions WHERE user_id = ?"))

    /// Pages are ordered by session, then by the key of the session's index.
    private static let refreshTokens = TableDeclaration.userLinked(
        "accounts_refresh_tokens",
        exportPage: { sql, user, page in
            var (session, expiresAt, hash) = try position(page.after, user, sql)
            while let current = session {
                var hasRoom = true
                try sql.statement(
                    """
                    SELECT issued_at, expires_at, used_at, token_hash FROM accounts_refresh_tokens
                    WHERE session_id = ?1 AND (expires_at, token_hash) > (?2, ?3) ORDER BY expires_at, token_hash
                    """
                ).forEach([.integer(current), expiresAt, hash]) { row in
                    let token: JSONValue = [
                        "session_id": .string(SessionID(rawValue: current).wire), "issued_at": instant(row.integer(0)),
                        "expires_at": instant(row.integer(1)), "used_at": instant(row.optional(2)),
                    ]
                    hasRoom = page.append(token, at: [.integer(current), .integer(row.integer(1)), .blob(row.blob(3))])
                    return hasRoom
                }
                guard hasRoom else { return }
                session = try nextSession(after: current, user, sql)
                (expiresAt, hash) = (.integer(.min), .blob([]))
                guard page.pass([.integer(current), .integer(.max), .blob([])]) else { return }
            }
        },
        eraseStep: TableDeclaration.step(
            """
            DELETE FROM accounts_refresh_tokens WHERE token_hash IN (
                SELECT t.token_hash FROM accounts_sessions s JOIN accounts_refresh_tokens t ON t.session_id = s.id
                WHERE s.user_id = ?1 LIMIT ?2)
            """),
        erase: TableDeclaration.erasing(
            """
            DELETE FROM accounts_refresh_tokens
            WHERE session_id IN (SELECT id FROM accounts_sessions WHERE user_id = ?)
            """))

    private static let resets = TableDeclaration.userLinked(
        "accounts_resets",
        export: { sql, user in
            try sql.rows("SELECT created_at, expires_at FROM accounts_resets WHERE user_id = ?", user.rawValue) { row in
                ["created_at": instant(row[0]), "expires_at": instant(row[1])]
            }
        },
        erase: TableDeclaration.erasing("DELETE FROM accounts_resets WHERE user_id = ?"))

    /// Erased before the account itself.
    private static let erased = TableDeclaration.userLinked(
        "accounts_erased", export: { _, _ in [] },
        erase: TableDeclaration.erasing(
            "INSERT INTO accounts_erased (id) SELECT id FROM accounts_users WHERE id = ? ON CONFLICT (id) DO NOTHING"))

    private static let knownNetworks = TableDeclaration.userLinked(
        "accounts_known_networks",
        export: { sql, user in
            try sql.values(
                "SELECT seen_at FROM accounts_known_networks WHERE user_id = ? ORDER BY seen_at", user.rawValue, as: Int64.self
            ).map { ["seen_at": instant($0)] }
        },
        erase: TableDeclaration.erasing("DELETE FROM accounts_known_networks WHERE user_id = ?"))

    /// The session in which a page begins, and the key of the last token of the page before.
    private static func position(
        _ after: [SQLValue], _ user: UserID, _ sql: SQLSession
    ) throws -> (session: Int64?, expiresAt: SQLValue, hash: SQLValue) {
        guard after.count == 3, case .integer(let session) = after[0] else {
            return (try nextSession(after: .min, user, sql), .integer(.min), .blob([]))
        }
        return (session, after[1], after[2])
    }

    private static func nextSession(after session: Int64, _ user: UserID, _ sql: SQLSession) throws -> Int64? {
        try sql.statement("SELECT id FROM accounts_sessions WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT 1")
            .row([.integer(user.rawValue), .integer(session)]) { $0.integer(0) }
    }

    private static func instant(_ milliseconds: Int64?) -> JSONValue {
        milliseconds.map { .string("\(Timestamp(milliseconds: $0))") } ?? .null
    }
}
