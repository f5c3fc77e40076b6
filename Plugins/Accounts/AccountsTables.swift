import GRDB
import SparkCore
import SparkKit

/// The tables with the export and the erasure of one person's rows. No export holds a hash of a password or a token.
enum AccountsTables {
    static let all: [TableDeclaration] = [users, sessions, refreshTokens, resets, erased]

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
        export: { database, user in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, created_at, last_used_at, revoked_at, label FROM accounts_sessions
                    WHERE user_id = ? ORDER BY id
                    """,
                arguments: [user.rawValue]
            ).map { row in
                [
                    "id": .string(SessionID(rawValue: row[0]).wire), "created_at": instant(row[1]),
                    "last_used_at": instant(row[2]), "revoked_at": instant(row[3]), "label": .string(row[4]),
                ]
            }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM accounts_sessions WHERE user_id = ?", arguments: [user.rawValue])
        })

    private static let refreshTokens = TableDeclaration.userLinked(
        "accounts_refresh_tokens",
        export: { database, user in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT t.session_id, t.issued_at, t.expires_at, t.used_at FROM accounts_refresh_tokens t
                    JOIN accounts_sessions s ON s.id = t.session_id WHERE s.user_id = ? ORDER BY t.issued_at, t.session_id
                    """,
                arguments: [user.rawValue]
            ).map { row in
                [
                    "session_id": .string(SessionID(rawValue: row[0]).wire), "issued_at": instant(row[1]),
                    "expires_at": instant(row[2]), "used_at": instant(row[3]),
                ]
            }
        },
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

    private static func instant(_ milliseconds: Int64?) -> JSONValue {
        milliseconds.map { .string("\(Timestamp(milliseconds: $0))") } ?? .null
    }
}
