import Foundation
import SparkCore
import SparkKit
import SparkStorage

// What those who run the server do with accounts: suspending, restoring, signing out, links to a new password, erasing.

extension SQLiteAccountsStore {
    func standing(of user: UserID, sessionsUsedSince: Timestamp) async throws -> AccountStanding? {
        guard let account = try account(of: user) else { return nil }
        return try await storage.read { sql in
            try sql.row(
                """
                SELECT suspended_at, suspension_reason, (SELECT COUNT(*) FROM accounts_sessions
                    WHERE user_id = ?1 AND revoked_at IS NULL AND last_used_at > ?2)
                FROM accounts_users WHERE id = ?1
                """, user, sessionsUsedSince
            ) { AccountStanding(account: account, suspendedAt: $0[0], suspensionReason: $0[1], openSessions: $0[2]) }
        }
    }

    func users(withEmailPrefix prefix: String, limit: Int) async throws -> [UserID] {
        try await storage.read { sql in
            try sql.values(
                "SELECT id FROM accounts_users WHERE email >= ?1 AND email < ?1 || char(1114111) ORDER BY email LIMIT ?2", prefix,
                limit, as: Int64.self
            ).map { UserID(rawValue: $0) }
        }
    }

    /// When an account was suspended; nil if it is not.
    static func suspension(of user: UserID, in sql: SQLSession) throws -> Timestamp? {
        try sql.value("SELECT suspended_at FROM accounts_users WHERE id = ?", user.rawValue, as: Int64.self).map {
            Timestamp(milliseconds: $0)
        }
    }

    func suspend(
        _ user: UserID, reason: CodeWord, at now: Timestamp, hiding: Companion, in work: any UnitOfWork
    ) throws -> [SessionID]? {
        let transaction = work.transaction
        guard try Self.state(of: user, in: transaction.session) != nil else { return nil }
        let isNew = try Self.suspension(of: user, in: transaction.session) == nil
        try transaction.session.run(
            "UPDATE accounts_users SET suspended_at = coalesce(suspended_at, ?), suspension_reason = ? WHERE id = ?",
            now.milliseconds, reason.text, user.rawValue)
        // First, so that connections are closed for this reason and not for the end of their sessions.
        if isNew { transaction.publish(AccountSuspended(user: user)) }
        let revoked = try revokeAll(of: user, except: nil, at: now, in: transaction)
        try hiding(transaction)
        return revoked
    }

    func restore(_ user: UserID, showing: @escaping HidingCompanion, along: @escaping Companion) async throws -> Bool? {
        try await storage.write { transaction in
            guard let state = try Self.state(of: user, in: transaction.session) else { return nil }
            let isSuspended = try Self.suspension(of: user, in: transaction.session) != nil
            if isSuspended {
                try transaction.session.run(
                    "UPDATE accounts_users SET suspended_at = NULL, suspension_reason = NULL WHERE id = ?", user.rawValue)
                try showing(state.closedAt != nil, transaction)
                transaction.publish(AccountRestored(user: user))
            }
            try along(transaction)
            return isSuspended
        }
    }

    func signOut(_ user: UserID, at now: Timestamp, along: @escaping Companion) async throws -> [SessionID]? {
        try await storage.write { transaction in
            guard try Self.state(of: user, in: transaction.session) != nil else { return nil }
            let revoked = try revokeAll(of: user, except: nil, at: now, in: transaction)
            try along(transaction)
            return revoked
        }
    }

    func addReset(_ hash: [UInt8], for user: UserID, expiresAt: Timestamp, along: @escaping Companion) async throws -> Bool {
        try await storage.write { transaction in
            let sql = transaction.session
            guard try Self.state(of: user, in: sql) != nil else { return false }
            try sql.run(
                "DELETE FROM accounts_resets WHERE user_id = ? OR expires_at <= ?", user.rawValue, transaction.now.milliseconds)
            try sql.run(
                "INSERT INTO accounts_resets (token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)", hash,
                user.rawValue, transaction.now.milliseconds, expiresAt.milliseconds)
            try along(transaction)
            return true
        }
    }

    func knowsReset(_ hash: [UInt8], at now: Timestamp) throws -> Bool {
        try storage.pointRead { session in
            try session.row("SELECT 1 FROM accounts_resets WHERE token_hash = ?1 AND expires_at > ?2", hash, now) { _ in true }
                ?? false
        }
    }

    func reset(_ hash: [UInt8], password: String, at now: Timestamp) async throws -> (user: UserID, revoked: [SessionID])? {
        try await storage.write { transaction in
            let sql = transaction.session
            let owner = try sql.value(
                "SELECT user_id FROM accounts_resets WHERE token_hash = ? AND expires_at > ?", hash, now.milliseconds,
                as: Int64.self)
            guard let user = owner.map({ UserID(rawValue: $0) }) else { return nil }
            try sql.run("DELETE FROM accounts_resets WHERE token_hash = ?", hash)
            try sql.run("UPDATE accounts_users SET password_hash = ? WHERE id = ?", password, user.rawValue)
            return (user, try revokeAll(of: user, except: nil, at: now, in: transaction))
        }
    }

    func closeForErasure(
        _ user: UserID, at now: Timestamp, hiding: @escaping Companion, along: @escaping Companion
    ) async throws -> (job: ErasureJob, revoked: [SessionID])? {
        try await storage.write { transaction in
            guard let state = try Self.state(of: user, in: transaction.session) else { return nil }
            let closedAt = state.closedAt ?? now
            // Suspended as well: nobody takes this back by logging in.
            try transaction.session.run(
                "UPDATE accounts_users SET closed_at = ?, suspended_at = coalesce(suspended_at, ?) WHERE id = ?",
                closedAt.milliseconds, now.milliseconds, user.rawValue)
            let revoked = try revokeAll(of: user, except: nil, at: now, in: transaction)
            try hiding(transaction)
            if state.closedAt == nil { transaction.publish(AccountClosed(user: user)) }
            let job = ErasureJob(user: user, closedAt: closedAt)
            // Done at once by who asks; by the outbox if the process dies before.
            try transaction.enqueue(topic: ErasureJob.topic, payload: JSONWriter.bytes(of: job), availableAt: now)
            try along(transaction)
            return (job, revoked)
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (any UnitOfWork) throws -> Value) async throws -> Value {
        try await storage.write { try body($0) }
    }
}
