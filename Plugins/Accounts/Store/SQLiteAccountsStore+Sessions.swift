import Foundation
import SparkCore
import SparkKit
import SparkStorage

extension SQLiteAccountsStore {
    /// Dead sessions cleared away at each opening: more than are opened, so they cannot pile up.
    private static let clearedAtOnce = 8

    func isOpen(_ session: SessionID, of user: UserID) throws -> Bool {
        try storage.pointRead { sql in
            try sql.row(
                "SELECT 1 FROM accounts_sessions WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL", session.rawValue,
                user.rawValue
            ) { _ in true } ?? false
        }
    }

    func isLive(_ session: SessionID, of user: UserID, deadBefore: Timestamp, in work: (any UnitOfWork)?) throws -> Bool {
        guard let work else {
            return try storage.pointRead { sql in
                try sql.row(Self.live, session.rawValue, user.rawValue, deadBefore) { _ in true } ?? false
            }
        }
        return try work.transaction.session.statement(Self.live)
            .row([.integer(session.rawValue), .integer(user.rawValue), .time(deadBefore)]) { _ in true } ?? false
    }

    /// The sessions of a closed account are revoked with it.
    private static let live = """
        SELECT 1 FROM accounts_sessions WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL AND last_used_at > ?3
        """

    func hasOpenSession(_ user: UserID) throws -> Bool {
        try storage.pointRead { sql in
            try sql.row("SELECT 1 FROM accounts_sessions WHERE user_id = ?1 AND revoked_at IS NULL LIMIT 1", user.rawValue) {
                _ in true
            } ?? false
        }
    }

    func logIn(
        _ session: NewSession, verifiedBy hash: String, rehashed: String?, graceBegin: Timestamp,
        reopening: @escaping Companion
    ) async throws -> Bool {
        try await storage.write { transaction in
            let sql = transaction.session
            guard let state = try Self.state(of: session.user, in: sql), state.passwordHash == hash else { return false }
            guard try Self.suspension(of: session.user, in: sql) == nil else { throw AccountsError.suspended }
            if let closedAt = state.closedAt {
                guard closedAt > graceBegin, !state.isBeingErased else { return false }
                try sql.run("UPDATE accounts_users SET closed_at = NULL WHERE id = ?", session.user.rawValue)
                try reopening(transaction)
                transaction.publish(AccountReopened(user: session.user))
            }
            if let rehashed {
                try sql.run("UPDATE accounts_users SET password_hash = ? WHERE id = ?", rehashed, session.user.rawValue)
            }
            try Self.insert(session, in: sql)
            return true
        }
    }

    func open(_ session: NewSession) async throws -> Bool {
        try await storage.write { transaction in
            guard let state = try Self.state(of: session.user, in: transaction.session), state.closedAt == nil,
                try Self.suspension(of: session.user, in: transaction.session) == nil
            else { return false }
            try Self.insert(session, in: transaction.session)
            return true
        }
    }

    func knowsNetwork(_ fingerprint: [UInt8], of user: UserID) throws -> Bool {
        try storage.pointRead { sql in
            try sql.row(
                "SELECT 1 FROM accounts_known_networks WHERE user_id = ?1 AND network = ?2", user.rawValue, fingerprint
            ) { _ in true } ?? false
        }
    }

    func confirmedAt(_ session: SessionID, of user: UserID) throws -> Timestamp? {
        try storage.pointRead { sql in
            try sql.row(
                "SELECT confirmed_at FROM accounts_sessions WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL",
                session.rawValue, user.rawValue
            ) { $0.time(0) }
        }
    }

    func confirm(_ session: SessionID, of user: UserID, verifiedBy hash: String, at now: Timestamp) async throws -> Bool {
        try await storage.write { transaction in
            let sql = transaction.session
            guard let state = try Self.state(of: user, in: sql), state.passwordHash == hash else { return false }
            return try Self.confirm(session, at: now, in: sql)
        }
    }

    /// - Returns: whether the session is open.
    @discardableResult
    static func confirm(_ session: SessionID, at now: Timestamp, in sql: SQLSession) throws -> Bool {
        try sql.run(
            "UPDATE accounts_sessions SET confirmed_at = ? WHERE id = ? AND revoked_at IS NULL", now.milliseconds,
            session.rawValue) == 1
    }

    /// An account was signed in to from a network.
    static func remember(network: [UInt8], of user: UserID, at now: Timestamp, in sql: SQLSession) throws {
        try sql.run(
            """
            INSERT INTO accounts_known_networks (user_id, network, seen_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (user_id, network) DO UPDATE SET seen_at = max(seen_at, ?3)
            """, user.rawValue, network, now.milliseconds)
        try sql.run(
            """
            DELETE FROM accounts_known_networks WHERE user_id = ?1 AND network IN (
                SELECT network FROM accounts_known_networks WHERE user_id = ?1
                ORDER BY seen_at DESC, network LIMIT -1 OFFSET \(KnownNetworks.perAccount))
            """, user.rawValue)
    }

    func sessions(of user: UserID, usedSince: Timestamp) async throws -> [Session] {
        try await storage.read { sql in
            try sql.rows(
                """
                SELECT id, created_at, last_used_at, label FROM accounts_sessions
                WHERE user_id = ? AND last_used_at > ? AND revoked_at IS NULL
                ORDER BY last_used_at DESC, id DESC LIMIT 200
                """, user.rawValue, usedSince.milliseconds
            ) { row in
                Session(
                    id: SessionID(rawValue: row[0]), user: user, createdAt: Timestamp(milliseconds: row[1]),
                    lastUsedAt: Timestamp(milliseconds: row[2]), label: row[3])
            }
        }
    }

    func revoke(_ session: SessionID, of user: UserID, at now: Timestamp) async throws -> Bool {
        try await storage.write { transaction in
            try revoke(session, of: user, at: now, in: transaction)
        }
    }

    func revokeSessions(of user: UserID, except kept: SessionID, at now: Timestamp) async throws -> [SessionID] {
        try await storage.write { transaction in
            try revokeAll(of: user, except: kept, at: now, in: transaction)
        }
    }

    static func insert(_ session: NewSession, in sql: SQLSession) throws {
        try sql.run(
            """
            DELETE FROM accounts_sessions WHERE id IN (
                SELECT id FROM accounts_sessions WHERE last_used_at < ? ORDER BY last_used_at LIMIT \(clearedAtOnce))
            """, session.deadBefore.milliseconds)
        let openedAt = session.openedAt.milliseconds
        try sql.run(
            """
            INSERT INTO accounts_sessions (id, user_id, created_at, last_used_at, confirmed_at, label)
            VALUES (?1, ?2, ?3, ?3, ?3, ?4)
            """, session.id.rawValue, session.user.rawValue, openedAt, session.label)
        if let network = session.network { try remember(network: network, of: session.user, at: session.openedAt, in: sql) }
        if let token = session.refreshToken {
            try insertToken(token.hash, of: session.id, issuedAt: session.openedAt, expiresAt: token.expiresAt, in: sql)
        }
    }

    /// In a write; also tells the user's devices, under their next number.
    func revoke(
        _ session: SessionID, of user: UserID, at now: Timestamp, in transaction: WriteTransaction
    ) throws -> Bool {
        let changed = try transaction.session.run(
            "UPDATE accounts_sessions SET revoked_at = ? WHERE id = ? AND user_id = ? AND revoked_at IS NULL", now.milliseconds,
            session.rawValue, user.rawValue)
        guard changed == 1 else { return false }
        let members = Frame.members { $0.field("session", session) }
        try stream.append(UserEvent(type: "session.revoked", members: members), to: [user], in: transaction)
        transaction.publish(SessionRevoked(user: user, session: session))
        return true
    }

    func revokeAll(
        of user: UserID, except kept: SessionID?, at now: Timestamp, in transaction: WriteTransaction
    ) throws -> [SessionID] {
        let open = try transaction.session.values(
            "SELECT id FROM accounts_sessions WHERE user_id = ? AND revoked_at IS NULL", user.rawValue, as: Int64.self
        ).map { SessionID(rawValue: $0) }
        return try open.filter { session in
            try session != kept && revoke(session, of: user, at: now, in: transaction)
        }
    }
}
