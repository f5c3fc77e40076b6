import Foundation
import SparkCore
import SparkStorage

/// Rotation with reuse detection (RFC 9700, 4.14.2), and yet answers that were lost can be repeated.
///
/// A token is used once; then its successor stands in the table. A used one presented again within the window gives
/// the same successor, as long as that was not used itself. Otherwise two parties hold the chain and the session ends.
extension SQLiteAccountsStore {
    func knowsRefreshToken(_ hash: [UInt8]) throws -> Bool {
        try storage.pointRead { session in
            try session.row("SELECT 1 FROM accounts_refresh_tokens WHERE token_hash = ?1", hash) { _ in true } ?? false
        }
    }

    func holder(ofUnused tokenHash: [UInt8], at now: Timestamp) throws -> UserID? {
        try storage.pointRead { session in
            try session.row(
                """
                SELECT s.user_id FROM accounts_refresh_tokens t JOIN accounts_sessions s ON s.id = t.session_id
                WHERE t.token_hash = ?1 AND t.used_at IS NULL AND t.expires_at > ?2 AND s.revoked_at IS NULL
                """, tokenHash, now
            ) { UserID(rawValue: $0.integer(0)) }
        }
    }

    /// Reuse is an outcome and no error, because an error would take the revocation back.
    func refresh(_ refresh: Refresh) async throws -> RefreshOutcome {
        try await storage.write { transaction in
            let sql = transaction.session
            guard let token = try Self.token(refresh.tokenHash, in: sql), token.isSessionOpen,
                token.expiresAt > refresh.at
            else { return .refused }
            guard let usedAt = token.usedAt else {
                try Self.rotate(refresh, session: token.session, in: sql)
                // Whoever holds the chain is the owner's device, wherever it is now.
                try Self.remember(
                    network: networks.fingerprint(of: refresh.network, at: token.user), of: token.user, at: refresh.at,
                    in: sql)
                return .granted(token.user, token.session)
            }
            let successor = try Self.token(refresh.successorHash, in: sql)
            if let successor, successor.usedAt == nil, refresh.at <= usedAt + refresh.repeatWindow,
                usedAt <= refresh.at + refresh.repeatWindow
            {
                return .granted(token.user, token.session)
            }
            _ = try revoke(token.session, of: token.user, at: refresh.at, in: transaction)
            return .reused(token.user, token.session)
        }
    }

    static func insertToken(
        _ hash: [UInt8], of session: SessionID, issuedAt: Timestamp, expiresAt: Timestamp, in sql: SQLSession
    ) throws {
        try sql.run(
            """
            INSERT INTO accounts_refresh_tokens (token_hash, session_id, issued_at, expires_at) VALUES (?, ?, ?, ?)
            """, hash, session.rawValue, issuedAt.milliseconds, expiresAt.milliseconds)
    }

    private static func rotate(_ refresh: Refresh, session: SessionID, in sql: SQLSession) throws {
        let now = refresh.at.milliseconds
        // Ended tokens are refused whether or not they stand here, so the session's own are cleared away.
        try sql.run("DELETE FROM accounts_refresh_tokens WHERE session_id = ? AND expires_at <= ?", session.rawValue, now)
        try sql.run("UPDATE accounts_refresh_tokens SET used_at = ? WHERE token_hash = ?", now, refresh.tokenHash)
        try insertToken(
            refresh.successorHash, of: session, issuedAt: refresh.at, expiresAt: refresh.successorExpiresAt, in: sql)
        try sql.run("UPDATE accounts_sessions SET last_used_at = ? WHERE id = ?", now, session.rawValue)
    }

    private struct Token {
        let session: SessionID
        let user: UserID
        let expiresAt: Timestamp
        let usedAt: Timestamp?
        let isSessionOpen: Bool
    }

    private static func token(_ hash: [UInt8], in sql: SQLSession) throws -> Token? {
        try sql.row(
            """
            SELECT t.session_id, s.user_id, t.expires_at, t.used_at, s.revoked_at IS NULL
            FROM accounts_refresh_tokens t JOIN accounts_sessions s ON s.id = t.session_id WHERE t.token_hash = ?
            """, hash
        ) { Token(session: $0[0], user: $0[1], expiresAt: $0[2], usedAt: $0[3], isSessionOpen: $0[4]) }
    }
}
