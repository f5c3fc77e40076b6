import Foundation
import GRDB
import SparkCore
import SparkKit
import SparkStorage

// What those who run the server do with accounts: suspending, restoring, signing out, links to a new password, erasing.

extension SQLiteAccountsStore {
    func standing(of user: UserID, sessionsUsedSince: Timestamp) async throws -> AccountStanding? {
        guard let account = try account(of: user) else { return nil }
        return try await storage.read { database in
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT suspended_at, suspension_reason, (SELECT COUNT(*) FROM accounts_sessions
                        WHERE user_id = ?1 AND revoked_at IS NULL AND last_used_at > ?2)
                    FROM accounts_users WHERE id = ?1
                    """, arguments: [user.rawValue, sessionsUsedSince.milliseconds])
            guard let row else { return nil }
            return AccountStanding(
                account: account, suspendedAt: (row[0] as Int64?).map { Timestamp(milliseconds: $0) }, suspensionReason: row[1],
                openSessions: row[2])
        }
    }

    func users(withEmailPrefix prefix: String, limit: Int) async throws -> [UserID] {
        try await storage.read { database in
            try Int64.fetchAll(
                database,
                sql: "SELECT id FROM accounts_users WHERE email >= ?1 AND email < ?1 || char(1114111) ORDER BY email LIMIT ?2",
                arguments: [prefix, limit]
            ).map { UserID(rawValue: $0) }
        }
    }

    /// When an account was suspended; nil if it is not.
    static func suspension(of user: UserID, in database: Database) throws -> Timestamp? {
        try Int64.fetchOne(
            database.cachedStatement(sql: "SELECT suspended_at FROM accounts_users WHERE id = ?"), arguments: [user.rawValue]
        ).map { Timestamp(milliseconds: $0) }
    }

    func suspend(
        _ user: UserID, reason: CodeWord, at now: Timestamp, hiding: Companion, in work: any UnitOfWork
    ) throws -> [SessionID]? {
        let transaction = work.transaction
        guard try Self.state(of: user, in: transaction.database) != nil else { return nil }
        let isNew = try Self.suspension(of: user, in: transaction.database) == nil
        try transaction.database.cachedStatement(
            sql: "UPDATE accounts_users SET suspended_at = coalesce(suspended_at, ?), suspension_reason = ? WHERE id = ?"
        ).execute(arguments: [now.milliseconds, reason.text, user.rawValue])
        // First, so that connections are closed for this reason and not for the end of their sessions.
        if isNew { transaction.publish(AccountSuspended(user: user)) }
        let revoked = try revokeAll(of: user, except: nil, at: now, in: transaction)
        try hiding(transaction)
        return revoked
    }

    func restore(_ user: UserID, showing: @escaping HidingCompanion, along: @escaping Companion) async throws -> Bool? {
        try await storage.write { transaction in
            guard let state = try Self.state(of: user, in: transaction.database) else { return nil }
            let isSuspended = try Self.suspension(of: user, in: transaction.database) != nil
            if isSuspended {
                try transaction.database.cachedStatement(
                    sql: "UPDATE accounts_users SET suspended_at = NULL, suspension_reason = NULL WHERE id = ?"
                ).execute(arguments: [user.rawValue])
                try showing(state.closedAt != nil, transaction)
                transaction.publish(AccountRestored(user: user))
            }
            try along(transaction)
            return isSuspended
        }
    }

    func signOut(_ user: UserID, at now: Timestamp, along: @escaping Companion) async throws -> [SessionID]? {
        try await storage.write { transaction in
            guard try Self.state(of: user, in: transaction.database) != nil else { return nil }
            let revoked = try revokeAll(of: user, except: nil, at: now, in: transaction)
            try along(transaction)
            return revoked
        }
    }

    func addReset(_ hash: [UInt8], for user: UserID, expiresAt: Timestamp, along: @escaping Companion) async throws -> Bool {
        try await storage.write { transaction in
            let database = transaction.database
            guard try Self.state(of: user, in: database) != nil else { return false }
            try database.cachedStatement(sql: "DELETE FROM accounts_resets WHERE user_id = ? OR expires_at <= ?")
                .execute(arguments: [user.rawValue, transaction.now.milliseconds])
            try database.cachedStatement(
                sql: "INSERT INTO accounts_resets (token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)"
            ).execute(arguments: [Data(hash), user.rawValue, transaction.now.milliseconds, expiresAt.milliseconds])
            try along(transaction)
            return true
        }
    }

    func knowsReset(_ hash: [UInt8], at now: Timestamp) throws -> Bool {
        try storage.pointRead { reader in
            try reader.row(
                "SELECT 1 FROM accounts_resets WHERE token_hash = ?1 AND expires_at > ?2", .blob(hash), .time(now)
            ) { _ in true } ?? false
        }
    }

    func reset(_ hash: [UInt8], password: String, at now: Timestamp) async throws -> (user: UserID, revoked: [SessionID])? {
        try await storage.write { transaction in
            let database = transaction.database
            let owner = try Int64.fetchOne(
                database.cachedStatement(sql: "SELECT user_id FROM accounts_resets WHERE token_hash = ? AND expires_at > ?"),
                arguments: [Data(hash), now.milliseconds])
            guard let user = owner.map({ UserID(rawValue: $0) }) else { return nil }
            try database.cachedStatement(sql: "DELETE FROM accounts_resets WHERE token_hash = ?")
                .execute(arguments: [Data(hash)])
            try database.cachedStatement(sql: "UPDATE accounts_users SET password_hash = ? WHERE id = ?")
                .execute(arguments: [password, user.rawValue])
            return (user, try revokeAll(of: user, except: nil, at: now, in: transaction))
        }
    }

    func closeForErasure(
        _ user: UserID, at now: Timestamp, hiding: @escaping Companion, along: @escaping Companion
    ) async throws -> (job: ErasureJob, revoked: [SessionID])? {
        try await storage.write { transaction in
            guard let state = try Self.state(of: user, in: transaction.database) else { return nil }
            let closedAt = state.closedAt ?? now
            // Suspended as well: nobody takes this back by logging in.
            try transaction.database.cachedStatement(
                sql: "UPDATE accounts_users SET closed_at = ?, suspended_at = coalesce(suspended_at, ?) WHERE id = ?"
            ).execute(arguments: [closedAt.milliseconds, now.milliseconds, user.rawValue])
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
