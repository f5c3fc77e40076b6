import Foundation
import GRDB
import SparkCore
import SparkKit
import SparkStorage

/// The tables with the export and the erasure of one person's rows. No export holds a hash of a password, a token or a network.
enum AccountsTables {
    static let all: [TableDeclaration] = [users, sessions, refreshTokens, knownNetworks, resets, erased]

    private static let users = TableDeclaration.userLinked(
        "accounts_users",
        export: { database, user in
            try Row.fetchAll(
                database, sql: "SELECT email, created_at, closed_at, suspended_at FROM accounts_users WHERE id = ?",
                arguments: [user.rawValue]
            ).map { row in
                [
                    "id": .string(user.wire), "email": .string(row[0]), "created_at": instant(row[1]),
                    "closed_at": instant(row[2]), "suspended_at": instant(row[3]),
                ]
            }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM accounts_users WHERE id = ?", arguments: [user.rawValue])
        })

    private static let sessions = TableDeclaration.userLinked(
        "accounts_sessions",
        exportPage: { database, user, page in
            try RawStatement(
                """
                SELECT id, created_at, last_used_at, revoked_at, label, confirmed_at FROM accounts_sessions
                WHERE user_id = ?1 AND id > ?2 ORDER BY id
                """, in: database
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
        erase: { database, user in
            try database.execute(sql: "DELETE FROM accounts_sessions WHERE user_id = ?", arguments: [user.rawValue])
        })

    /// Paged by session, and within one by the key of its index.
    private static let refreshTokens = TableDeclaration.userLinked(
        "accounts_refresh_tokens",
        exportPage: { database, user, page in
            var (session, expiresAt, hash) = try position(page.after, user, database)
            while let current = session {
                var hasRoom = true
                try RawStatement(
                    """
                    SELECT issued_at, expires_at, used_at, token_hash FROM accounts_refresh_tokens
                    WHERE session_id = ?1 AND (expires_at, token_hash) > (?2, ?3) ORDER BY expires_at, token_hash
                    """, in: database
                ).forEach([.integer(current), expiresAt, hash]) { row in
                    let token: JSONValue = [
                        "session_id": .string(SessionID(rawValue: current).wire), "issued_at": instant(row.integer(0)),
                        "expires_at": instant(row.integer(1)), "used_at": instant(row.optional(2)),
                    ]
                    hasRoom = page.append(token, at: [.integer(current), .integer(row.integer(1)), .blob(row.blob(3))])
                    return hasRoom
                }
                guard hasRoom else { return }
                session = try nextSession(after: current, user, database)
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
        erase: { database, user in
            try database.execute(
                sql: """
                    DELETE FROM accounts_refresh_tokens
                    WHERE session_id IN (SELECT id FROM accounts_sessions WHERE user_id = ?)
                    """,
                arguments: [user.rawValue])
        })

    private static let resets = TableDeclaration.userLinked(
        "accounts_resets",
        export: { database, user in
            try Row.fetchAll(
                database, sql: "SELECT created_at, expires_at FROM accounts_resets WHERE user_id = ?", arguments: [user.rawValue]
            ).map { row in ["created_at": instant(row[0]), "expires_at": instant(row[1])] }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM accounts_resets WHERE user_id = ?", arguments: [user.rawValue])
        })

    /// Erased before the account itself is, which it then stands for.
    private static let erased = TableDeclaration.userLinked(
        "accounts_erased", export: { _, _ in [] },
        erase: { database, user in
            try database.execute(
                sql: "INSERT OR IGNORE INTO accounts_erased (id) SELECT id FROM accounts_users WHERE id = ?",
                arguments: [user.rawValue])
        })

    private static let knownNetworks = TableDeclaration.userLinked(
        "accounts_known_networks",
        export: { database, user in
            try Int64.fetchAll(
                database, sql: "SELECT seen_at FROM accounts_known_networks WHERE user_id = ? ORDER BY seen_at",
                arguments: [user.rawValue]
            ).map { ["seen_at": instant($0)] }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM accounts_known_networks WHERE user_id = ?", arguments: [user.rawValue])
        })

    /// The session in which a page begins, and the key of the token before it.
    private static func position(
        _ after: [SQLValue], _ user: UserID, _ database: Database
    ) throws -> (session: Int64?, expiresAt: SQLValue, hash: SQLValue) {
        guard after.count == 3, case .integer(let session) = after[0] else {
            return (try nextSession(after: .min, user, database), .integer(.min), .blob([]))
        }
        return (session, after[1], after[2])
    }

    private static func nextSession(after session: Int64, _ user: UserID, _ database: Database) throws -> Int64? {
        try RawStatement("SELECT id FROM accounts_sessions WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT 1", in: database)
            .row([.integer(user.rawValue), .integer(session)]) { $0.integer(0) }
    }

    private static func instant(_ milliseconds: Int64?) -> JSONValue {
        milliseconds.map { .string("\(Timestamp(milliseconds: $0))") } ?? .null
    }
}
