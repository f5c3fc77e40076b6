import Foundation
import GRDB
import SparkCore
import SparkStorage

/// Rotation with reuse detection (RFC 9700, 4.14.2), and yet answers that were lost can be repeated.
///
/// A token is used once; then its successor stands in the table. A used one presented again within the window gives
/// the same successor, as long as that was not used itself. Otherwise two parties hold the chain and the session ends.
extension SQLiteAccountsStore {
    func knowsRefreshToken(_ hash: [UInt8]) throws -> Bool {
        try storage.pointRead { reader in
            try reader.row("SELECT 1 FROM accounts_refresh_tokens WHERE token_hash = ?1", .blob(hash)) { _ in true } ?? false
        }
    }

    func holder(ofUnused tokenHash: [UInt8], at now: Timestamp) throws -> UserID? {
        try storage.pointRead { reader in
            try reader.row(
                """
                SELECT s.user_id FROM accounts_refresh_tokens t JOIN accounts_sessions s ON s.id = t.session_id
                WHERE t.token_hash = ?1 AND t.used_at IS NULL AND t.expires_at > ?2 AND s.revoked_at IS NULL
                """, .blob(tokenHash), .time(now)
            ) { UserID(rawValue: $0.integer(0)) }
        }
    }

    /// Reuse is an outcome and no error, because an error would take the revocation back.
    func refresh(_ refresh: Refresh) async throws -> RefreshOutcome {
        try await storage.write { transaction in
            let database = transaction.database
            guard let token = try Self.token(refresh.tokenHash, in: database), token.isSessionOpen,
                token.expiresAt > refresh.at
            else { return .refused }
            guard let usedAt = token.usedAt else {
                try Self.rotate(refresh, session: token.session, in: database)
                // Whoever holds the chain is the owner's device, wherever it is now.
                try Self.remember(
                    network: networks.fingerprint(of: refresh.network, at: token.user), of: token.user, at: refresh.at,
                    in: database)
                return .granted(token.user, token.session)
            }
            let successor = try Self.token(refresh.successorHash, in: database)
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
        _ hash: [UInt8], of session: SessionID, issuedAt: Timestamp, expiresAt: Timestamp, in database: Database
    ) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO accounts_refresh_tokens (token_hash, session_id, issued_at, expires_at) VALUES (?, ?, ?, ?)
                """
        ).execute(arguments: [Data(hash), session.rawValue, issuedAt.milliseconds, expiresAt.milliseconds])
    }

    private static func rotate(_ refresh: Refresh, session: SessionID, in database: Database) throws {
        let now = refresh.at.milliseconds
        // Ended tokens are refused whether or not they stand here, so the session's own are cleared away.
        try database.cachedStatement(
            sql: "DELETE FROM accounts_refresh_tokens WHERE session_id = ? AND expires_at <= ?"
        ).execute(arguments: [session.rawValue, now])
        try database.cachedStatement(sql: "UPDATE accounts_refresh_tokens SET used_at = ? WHERE token_hash = ?")
            .execute(arguments: [now, Data(refresh.tokenHash)])
        try insertToken(
            refresh.successorHash, of: session, issuedAt: refresh.at, expiresAt: refresh.successorExpiresAt, in: database)
        try database.cachedStatement(sql: "UPDATE accounts_sessions SET last_used_at = ? WHERE id = ?")
            .execute(arguments: [now, session.rawValue])
    }

    private struct Token {
        let session: SessionID
        let user: UserID
        let expiresAt: Timestamp
        let usedAt: Timestamp?
        let isSessionOpen: Bool
    }

    private static func token(_ hash: [UInt8], in database: Database) throws -> Token? {
        let row = try Row.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT t.session_id, s.user_id, t.expires_at, t.used_at, s.revoked_at IS NULL
                    FROM accounts_refresh_tokens t JOIN accounts_sessions s ON s.id = t.session_id WHERE t.token_hash = ?
                    """),
            arguments: [Data(hash)])
        guard let row else { return nil }
        let usedAt: Int64? = row[3]
        return Token(
            session: SessionID(rawValue: row[0]), user: UserID(rawValue: row[1]), expiresAt: Timestamp(milliseconds: row[2]),
            usedAt: usedAt.map { Timestamp(milliseconds: $0) }, isSessionOpen: row[4])
    }
}
