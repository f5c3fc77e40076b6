import Foundation
import SparkCore
import SparkKit
import SparkStorage

/// The accounts store in SQLite: accounts, sessions, refresh tokens and the operators' actions.
struct SQLiteAccountsStore: AccountsStore {
    let storage: any Storage
    let personalData: PersonalDataRegistry
    let stream: any EventStreaming
    let networks: KnownNetworks

    /// About how long one erasure step holds the writer.
    private static let erasureStep = Duration.milliseconds(10)

    func account(withEmail email: String) async throws -> Account? {
        try await storage.pointRead { session in
            try session.row(
                "SELECT id, email, password_hash, created_at, closed_at FROM accounts_users WHERE email = ?1", email,
                read: Self.account)
        }
    }

    func account(of user: UserID) async throws -> Account? {
        try await storage.pointRead { session in
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
            // There is one writer, so the address cannot be taken between the query and the insertion.
            let holders = try forms.compactMap { email in
                try sql.value("SELECT id FROM accounts_users WHERE email = ?", email, as: Int64.self)
            }
            // A taken address costs the same work, which is then rolled back, so that the response time does not reveal it. The
            // identifier takes the place of the address: no address looks like one.
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

    /// The columns that decide whether a session may be opened, as the writer sees them.
    static func state(
        of user: UserID, in sql: SQLSession
    ) throws -> (passwordHash: String?, closedAt: Timestamp?, isBeingErased: Bool)? {
        try sql.row("SELECT password_hash, closed_at, erasing_at IS NOT NULL FROM accounts_users WHERE id = ?", user) {
            ($0[0], $0[1], $0[2])
        }
    }
}

extension SQLiteAccountsStore {
    /// Dead sessions deleted at each opening. More than one, so they cannot accumulate.
    private static let clearedAtOnce = 8

    func isOpen(_ session: SessionID, of user: UserID) async throws -> Bool {
        try await storage.pointRead { sql in
            try sql.row(
                "SELECT 1 FROM accounts_sessions WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL", session.rawValue,
                user.rawValue
            ) { _ in true } ?? false
        }
    }

    func isLive(_ session: SessionID, of user: UserID, deadBefore: Timestamp) async throws -> Bool {
        try await storage.pointRead { sql in
            try sql.row(Self.live, session.rawValue, user.rawValue, deadBefore) { _ in true } ?? false
        }
    }

    func isLive(_ session: SessionID, of user: UserID, deadBefore: Timestamp, in work: any UnitOfWork) throws -> Bool {
        try work.transaction.session.statement(Self.live)
            .row([.integer(session.rawValue), .integer(user.rawValue), .time(deadBefore)]) { _ in true } ?? false
    }

    /// Closing an account revokes its sessions, so this need not look at the account.
    private static let live = """
        SELECT 1 FROM accounts_sessions WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL AND last_used_at > ?3
        """

    func hasOpenSession(_ user: UserID) async throws -> Bool {
        try await storage.pointRead { sql in
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

    func knowsNetwork(_ fingerprint: [UInt8], of user: UserID) async throws -> Bool {
        try await storage.pointRead { sql in
            try sql.row(
                "SELECT 1 FROM accounts_known_networks WHERE user_id = ?1 AND network = ?2", user.rawValue, fingerprint
            ) { _ in true } ?? false
        }
    }

    func confirmedAt(_ session: SessionID, of user: UserID) async throws -> Timestamp? {
        try await storage.pointRead { sql in
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

    /// Records that the account was signed in to from a network.
    static func remember(network: [UInt8], of user: UserID, at now: Timestamp, in sql: SQLSession) throws {
        try sql.run(
            """
            INSERT INTO accounts_known_networks (user_id, network, seen_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (user_id, network) DO UPDATE SET seen_at = excluded.seen_at
                WHERE accounts_known_networks.seen_at < excluded.seen_at
            """, user.rawValue, network, now.milliseconds)
        try sql.run(
            """
            DELETE FROM accounts_known_networks WHERE user_id = ?1 AND network NOT IN (
                SELECT network FROM accounts_known_networks WHERE user_id = ?1
                ORDER BY seen_at DESC, network LIMIT \(KnownNetworks.perAccount))
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

    /// Must run in a write transaction. Also publishes the revocation to the user's devices.
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

    private func revokeAll(
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

/// Refresh token rotation with reuse detection (RFC 9700, 4.14.2) that can still repeat a lost answer.
///
/// A token is used once and replaced by its successor in the table. A used token presented again within the window yields
/// the same successor, provided that the successor is unused. Otherwise two parties hold the chain and the session is revoked.
extension SQLiteAccountsStore {
    func knowsRefreshToken(_ hash: [UInt8]) async throws -> Bool {
        try await storage.pointRead { session in
            try session.row("SELECT 1 FROM accounts_refresh_tokens WHERE token_hash = ?1", hash) { _ in true } ?? false
        }
    }

    func holder(ofUnused tokenHash: [UInt8], at now: Timestamp) async throws -> UserID? {
        try await storage.pointRead { session in
            try session.row(
                """
                SELECT s.user_id FROM accounts_refresh_tokens t JOIN accounts_sessions s ON s.id = t.session_id
                WHERE t.token_hash = ?1 AND t.used_at IS NULL AND t.expires_at > ?2 AND s.revoked_at IS NULL
                """, tokenHash, now
            ) { UserID(rawValue: $0.integer(0)) }
        }
    }

    /// Reuse is an outcome, not an error: an error would roll back the revocation.
    func refresh(_ refresh: Refresh) async throws -> RefreshOutcome {
        try await storage.write { transaction in
            let sql = transaction.session
            guard let token = try Self.token(refresh.tokenHash, in: sql), token.isSessionOpen,
                token.expiresAt > refresh.at
            else { return .refused }
            guard let usedAt = token.usedAt else {
                try Self.rotate(refresh, session: token.session, in: sql)
                // A device that holds the chain is the owner's, whatever network it is on.
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

    private static func insertToken(
        _ hash: [UInt8], of session: SessionID, issuedAt: Timestamp, expiresAt: Timestamp, in sql: SQLSession
    ) throws {
        try sql.run(
            """
            INSERT INTO accounts_refresh_tokens (token_hash, session_id, issued_at, expires_at) VALUES (?, ?, ?, ?)
            """, hash, session.rawValue, issuedAt.milliseconds, expiresAt.milliseconds)
    }

    private static func rotate(_ refresh: Refresh, session: SessionID, in sql: SQLSession) throws {
        let now = refresh.at.milliseconds
        // Expired tokens are refused whether or not they are in the table, so the session's own are deleted here.
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

// Operator actions: suspending, restoring, signing out, password reset links, erasing.

extension SQLiteAccountsStore {
    func standing(of user: UserID, sessionsUsedSince: Timestamp) async throws -> AccountStanding? {
        guard let account = try await account(of: user) else { return nil }
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
                "SELECT id FROM accounts_users WHERE email >= ? AND email < ? ORDER BY email LIMIT ?", prefix,
                prefix + "\u{10FFFF}", limit, as: Int64.self
            ).map { UserID(rawValue: $0) }
        }
    }

    /// When the account was suspended; nil if it is not.
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
        // Published first, so that connections close because of the suspension and not because their sessions ended.
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

    func knowsReset(_ hash: [UInt8], at now: Timestamp) async throws -> Bool {
        try await storage.pointRead { session in
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
            // Suspended as well, so that a login cannot reopen the account.
            try transaction.session.run(
                "UPDATE accounts_users SET closed_at = ?, suspended_at = coalesce(suspended_at, ?) WHERE id = ?",
                closedAt.milliseconds, now.milliseconds, user.rawValue)
            let revoked = try revokeAll(of: user, except: nil, at: now, in: transaction)
            try hiding(transaction)
            if state.closedAt == nil { transaction.publish(AccountClosed(user: user)) }
            let job = ErasureJob(user: user, closedAt: closedAt)
            // The caller erases at once; the outbox does it if the process dies before.
            try transaction.enqueue(topic: ErasureJob.topic, payload: JSONWriter.bytes(of: job), availableAt: now)
            try along(transaction)
            return (job, revoked)
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (any UnitOfWork) throws -> Value) async throws -> Value {
        try await storage.write { try body($0) }
    }
}
