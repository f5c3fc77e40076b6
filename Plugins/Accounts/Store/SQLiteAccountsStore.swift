import Foundation
import SparkCore
import SparkKit
import SparkStorage

/// The accounts in SQLite: this file reads by key and writes accounts; sessions and refresh tokens stand beside it.
struct SQLiteAccountsStore: AccountsStore {
    let storage: any Storage
    let personalData: PersonalDataRegistry
    let stream: any EventStreaming
    let networks: KnownNetworks

    /// How long one step of an erasure holds the writer, about.
    private static let erasureStep = Duration.milliseconds(10)

    func account(withEmail email: String) throws -> Account? {
        try storage.pointRead { session in
            try session.row(
                "SELECT id, email, password_hash, created_at, closed_at FROM accounts_users WHERE email = ?1", email,
                read: Self.account)
        }
    }

    func account(of user: UserID) throws -> Account? {
        try storage.pointRead { session in
            try session.row(
                "SELECT id, email, password_hash, created_at, closed_at FROM accounts_users WHERE id = ?1", user.rawValue,
                read: Self.account)
        }
    }

    private static func account(_ row: borrowing SQLRow) -> Account {
        Account(
            id: UserID(rawValue: row.integer(0)), email: row.text(1), passwordHash: row.isNull(2) ? nil : row.text(2),
            createdAt: row.time(3),
            closedAt: row.isNull(4) ? nil : row.time(4))
    }

    func register(
        _ account: Account, unlessTaken forms: [String], opening session: NewSession, along: @escaping Companion
    ) async throws {
        try await storage.write { transaction in
            let sql = transaction.session
            // There is one writer, so nobody can take the address between the question and the insertion.
            let holders = try forms.compactMap { email in
                try sql.value("SELECT id FROM accounts_users WHERE email = ?", email, as: Int64.self)
            }
            // For an address that is taken the same is done and taken back, so that the time does not tell. No address looks like the
            // identifier that stands in its place.
            let isTaken = !holders.isEmpty
            try sql.run(
                "INSERT INTO accounts_users (id, email, password_hash, created_at) VALUES (?, ?, ?, ?)", account.id.rawValue,
                isTaken ? account.id.wire : account.email, account.passwordHash, account.createdAt.milliseconds)
            try along(transaction)
            try Self.insert(session, in: sql)
            guard !isTaken else { throw AccountsError.emailTaken }
            transaction.publish(UserRegistered(user: account.id))
        }
    }

    func changePassword(
        of user: UserID, from old: String, to new: String, keeping kept: SessionID, at now: Timestamp
    ) async throws -> [SessionID]? {
        try await storage.write { transaction in
            let sql = transaction.session
            let changed = try sql.run(
                """
                UPDATE accounts_users SET password_hash = ?
                WHERE id = ? AND password_hash = ? AND closed_at IS NULL AND suspended_at IS NULL
                """, new, user.rawValue, old)
            guard changed == 1 else { return nil }
            try Self.confirm(kept, at: now, in: sql)
            return try revokeAll(of: user, except: kept, at: now, in: transaction)
        }
    }

    func close(
        _ user: UserID, at now: Timestamp, grace: Duration, along: @escaping Companion
    ) async throws -> (closedAt: Timestamp, revoked: [SessionID])? {
        try await storage.write { transaction in
            guard let state = try Self.state(of: user, in: transaction.session) else { return nil }
            if let closedAt = state.closedAt { return (closedAt, []) }
            try transaction.session.run("UPDATE accounts_users SET closed_at = ? WHERE id = ?", now.milliseconds, user.rawValue)
            let revoked = try revokeAll(of: user, except: nil, at: now, in: transaction)
            try along(transaction)
            transaction.publish(AccountClosed(user: user))
            try transaction.enqueue(
                topic: ErasureJob.topic, payload: JSONWriter.bytes(of: ErasureJob(user: user, closedAt: now)),
                availableAt: now + grace)
            return (now, revoked)
        }
    }

    func erase(_ job: ErasureJob, isLast: Bool) async throws -> ErasureOutcome {
        let outcome = try await storage.write { transaction -> ErasureOutcome in
            let sql = transaction.session
            guard let state = try Self.state(of: job.user, in: sql), state.closedAt == job.closedAt else { return .obsolete }
            if !state.isBeingErased {
                try sql.run(
                    "UPDATE accounts_users SET erasing_at = ? WHERE id = ?", transaction.now.milliseconds, job.user.rawValue)
            }
            let end = ContinuousClock.now + Self.erasureStep
            guard try !personalData.eraseStep(job.user, in: sql, isTimeUp: { ContinuousClock.now >= end }) else {
                if isLast { try transaction.enqueue(topic: ErasureJob.topic, payload: JSONWriter.bytes(of: job)) }
                return .unfinished
            }
            try personalData.erase(job.user, in: sql)
            transaction.publish(AccountErased(user: job.user))
            return .finished
        }
        if case .finished = outcome { await storage.emptyLog() }
        return outcome
    }

    func exportPiece(
        of user: UserID, at position: ExportPosition, maximumBytes: Int
    ) async throws -> (bytes: [UInt8], next: ExportPosition)? {
        try await storage.read { sql in
            var next = position
            let bytes = try personalData.exportPiece(of: user, at: &next, from: sql, maximumBytes: maximumBytes)
            return bytes.map { ($0, next) }
        }
    }

    /// What decides whether a session may be opened, as the writer sees it.
    static func state(
        of user: UserID, in sql: SQLSession
    ) throws -> (passwordHash: String?, closedAt: Timestamp?, isBeingErased: Bool)? {
        try sql.row("SELECT password_hash, closed_at, erasing_at IS NOT NULL FROM accounts_users WHERE id = ?", user) {
            ($0[0], $0[1], $0[2])
        }
    }
}
