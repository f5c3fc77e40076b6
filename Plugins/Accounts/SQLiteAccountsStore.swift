import Foundation
import GRDB
import SparkCore
import SparkKit
import SparkStorage

/// The accounts in SQLite: this file reads by key and writes accounts; sessions and refresh tokens stand beside it.
struct SQLiteAccountsStore: AccountsStore {
    let storage: Storage
    let personalData: PersonalDataRegistry
    let stream: any EventStreaming

    func account(withEmail email: String) throws -> Account? {
        try storage.pointRead { reader in
            try reader.row(
                "SELECT id, email, password_hash, created_at, closed_at FROM accounts_users WHERE email = ?1", .text(email),
                read: Self.account)
        }
    }

    func account(of user: UserID) throws -> Account? {
        try storage.pointRead { reader in
            try reader.row(
                "SELECT id, email, password_hash, created_at, closed_at FROM accounts_users WHERE id = ?1",
                .integer(user.rawValue), read: Self.account)
        }
    }

    private static func account(_ row: borrowing SQLRow) -> Account {
        Account(
            id: UserID(rawValue: row.integer(0)), email: row.text(1), passwordHash: row.isNull(2) ? nil : row.text(2),
            createdAt: row.time(3),
            closedAt: row.isNull(4) ? nil : row.time(4))
    }

    func register(_ account: Account, opening session: NewSession, along: @escaping Companion) async throws {
        try await storage.write { transaction in
            let database = transaction.database
            // There is one writer, so nobody can take the address between the question and the insertion.
            let holder = try Int64.fetchOne(
                database.cachedStatement(sql: "SELECT id FROM accounts_users WHERE email = ?"), arguments: [account.email])
            guard holder == nil else { throw AccountsError.emailTaken }
            try database.cachedStatement(
                sql: "INSERT INTO accounts_users (id, email, password_hash, created_at) VALUES (?, ?, ?, ?)"
            ).execute(
                arguments: [account.id.rawValue, account.email, account.passwordHash, account.createdAt.milliseconds])
            try along(transaction)
            try Self.insert(session, in: database)
            transaction.publish(UserRegistered(user: account.id))
        }
    }

    func changePassword(
        of user: UserID, from old: String, to new: String, keeping kept: SessionID, at now: Timestamp
    ) async throws -> [SessionID]? {
        try await storage.write { transaction in
            let database = transaction.database
            try database.cachedStatement(
                sql: """
                    UPDATE accounts_users SET password_hash = ?
                    WHERE id = ? AND password_hash = ? AND closed_at IS NULL AND suspended_at IS NULL
                    """
            ).execute(arguments: [new, user.rawValue, old])
            guard database.changesCount == 1 else { return nil }
            return try revokeAll(of: user, except: kept, at: now, in: transaction)
        }
    }

    func close(
        _ user: UserID, at now: Timestamp, grace: Duration, along: @escaping Companion
    ) async throws -> (closedAt: Timestamp, revoked: [SessionID])? {
        try await storage.write { transaction in
            guard let state = try Self.state(of: user, in: transaction.database) else { return nil }
            if let closedAt = state.closedAt { return (closedAt, []) }
            try transaction.database.cachedStatement(sql: "UPDATE accounts_users SET closed_at = ? WHERE id = ?")
                .execute(arguments: [now.milliseconds, user.rawValue])
            let revoked = try revokeAll(of: user, except: nil, at: now, in: transaction)
            try along(transaction)
            transaction.publish(AccountClosed(user: user))
            try transaction.enqueue(
                topic: ErasureJob.topic, payload: JSONWriter.bytes(of: ErasureJob(user: user, closedAt: now)),
                availableAt: now + grace)
            return (now, revoked)
        }
    }

    func erase(_ job: ErasureJob) async throws -> Bool {
        try await storage.write { transaction in
            guard try Self.state(of: job.user, in: transaction.database)?.closedAt == job.closedAt else { return false }
            try personalData.erase(job.user, in: transaction.database)
            transaction.publish(AccountErased(user: job.user))
            return true
        }
    }

    func export(_ user: UserID) async throws -> JSONValue {
        try await storage.read { try personalData.export(user, from: $0) }
    }

    /// What decides whether a session may be opened, as the writer sees it.
    static func state(
        of user: UserID, in database: Database
    ) throws -> (passwordHash: String?, closedAt: Timestamp?)? {
        let row = try Row.fetchOne(
            database.cachedStatement(sql: "SELECT password_hash, closed_at FROM accounts_users WHERE id = ?"),
            arguments: [user.rawValue])
        guard let row else { return nil }
        let closedAt: Int64? = row[1]
        return (row[0], closedAt.map { Timestamp(milliseconds: $0) })
    }
}
