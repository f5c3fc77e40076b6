import SparkKit
import SparkStorage

/// The invariants that `spark check` tests.
enum AccountsInvariants {
    static let all: [Invariant] = [
        Invariant("every session's user exists") { sql in
            let orphans = try sql.value(
                """
                SELECT COUNT(*) FROM accounts_sessions s
                WHERE NOT EXISTS (SELECT 1 FROM accounts_users u WHERE u.id = s.user_id)
                """, as: Int.self)
            return fault(orphans, "sessions have no user")
        },
        Invariant("every refresh token's session exists") { sql in
            let orphans = try sql.value(
                """
                SELECT COUNT(*) FROM accounts_refresh_tokens t
                WHERE NOT EXISTS (SELECT 1 FROM accounts_sessions s WHERE s.id = t.session_id)
                """, as: Int.self)
            return fault(orphans, "refresh tokens have no session")
        },
    ]

    private static func fault(_ count: Int?, _ words: String) -> [String] {
        guard let count, count > 0 else { return [] }
        return ["\(count) \(words)"]
    }
}
