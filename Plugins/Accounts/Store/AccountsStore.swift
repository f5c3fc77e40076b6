import SparkCore
import SparkKit

/// Work that other modules do in the same transaction.
typealias Companion = @Sendable (any UnitOfWork) throws -> Void

/// Like `Companion`; the flag says whether the person is hidden after the transaction.
typealias HidingCompanion = @Sendable (Bool, any UnitOfWork) throws -> Void

/// Accounts, sessions and refresh tokens. Every write is one transaction, together with its events.
protocol AccountsStore: Sendable {
    /// Reads by key; a few microseconds.
    func account(withEmail email: String) async throws -> Account?
    /// Whether the account was signed in to from this network before, given the network's fingerprint.
    func knowsNetwork(_ fingerprint: [UInt8], of user: UserID) async throws -> Bool
    /// When the owner of an open session last gave the password; nil without such a session.
    func confirmedAt(_ session: SessionID, of user: UserID) async throws -> Timestamp?
    func account(of user: UserID) async throws -> Account?
    /// Whether the session exists, is the user's, and is not revoked.
    func isOpen(_ session: SessionID, of user: UserID) async throws -> Bool
    /// Whether the session is open and was used after `deadBefore`, as of the last commit.
    func isLive(_ session: SessionID, of user: UserID, deadBefore: Timestamp) async throws -> Bool
    /// The same, as of a transaction.
    func isLive(_ session: SessionID, of user: UserID, deadBefore: Timestamp, in work: any UnitOfWork) throws -> Bool
    func hasOpenSession(_ user: UserID) async throws -> Bool
    func knowsRefreshToken(_ hash: [UInt8]) async throws -> Bool

    /// - Parameter forms: the spellings under which another account may hold the address.
    /// - Throws: `AccountsError.emailTaken` after the same work, or an error of `along`; then nothing is written.
    func register(
        _ account: Account, unlessTaken forms: [String], opening session: NewSession, along: @escaping Companion
    ) async throws
    /// Opens a session after a password was verified, and reopens the account if it is closed.
    /// - Parameters:
    ///   - hash: the hash that the password was verified against. If the account's hash has changed since, returns false.
    ///   - rehashed: replaces the hash, if given.
    ///   - graceBegin: an account closed at or before this stays closed; returns false.
    ///   - reopening: runs if the account was closed.
    /// - Throws: `AccountsError.suspended`; the account is unchanged then.
    func logIn(
        _ session: NewSession, verifiedBy hash: String, rehashed: String?, graceBegin: Timestamp,
        reopening: @escaping Companion
    ) async throws -> Bool
    /// Opens a session. False when the account does not exist, or is closed or suspended.
    func open(_ session: NewSession) async throws -> Bool
    func refresh(_ refresh: Refresh) async throws -> RefreshOutcome
    /// The owner of an unused, unexpired refresh token.
    func holder(ofUnused tokenHash: [UInt8], at now: Timestamp) async throws -> UserID?

    /// The open sessions used since a time, most recently used first; at most 200.
    func sessions(of user: UserID, usedSince: Timestamp) async throws -> [Session]
    /// False when the user has no such open session.
    func revoke(_ session: SessionID, of user: UserID, at now: Timestamp) async throws -> Bool
    /// Records that the owner gave the password. False when the session is not open, or `hash` is no longer the account's.
    func confirm(_ session: SessionID, of user: UserID, verifiedBy hash: String, at now: Timestamp) async throws -> Bool
    /// Revokes all open sessions but `kept`. Returns the revoked ones.
    func revokeSessions(of user: UserID, except kept: SessionID, at now: Timestamp) async throws -> [SessionID]
    /// Returns the other sessions, all revoked; nil when `old` is no longer the hash.
    func changePassword(
        of user: UserID, from old: String, to new: String, keeping kept: SessionID, at now: Timestamp
    ) async throws -> [SessionID]?

    /// Closes the account, revokes its sessions and enqueues its erasure. Closing it again changes nothing.
    /// - Returns: when the account was closed, and the revoked sessions; nil when there is no such account.
    func close(
        _ user: UserID, at now: Timestamp, grace: Duration, along: @escaping Companion
    ) async throws -> (closedAt: Timestamp, revoked: [SessionID])?
    /// Erases part of a person's data in every module, in a short transaction. The last part includes the account itself.
    /// - Parameter isLast: whether to enqueue a job for the rest, if there is one.
    func erase(_ job: ErasureJob, isLast: Bool) async throws -> ErasureOutcome
    /// The next part of a person's data over all modules, as JSON text, and the position after it; nil after the last part.
    /// Each part is read in its own transaction.
    func exportPiece(
        of user: UserID, at position: ExportPosition, maximumBytes: Int
    ) async throws -> (bytes: [UInt8], next: ExportPosition)?

    // For operators.

    /// The account and its state; nil when there is none.
    func standing(of user: UserID, sessionsUsedSince: Timestamp) async throws -> AccountStanding?
    /// The accounts whose e-mail address begins with a normalized text, at most `limit`.
    func users(withEmailPrefix prefix: String, limit: Int) async throws -> [UserID]
    /// Suspends the account, or changes the reason if it is suspended; revokes its sessions. Publishes `AccountSuspended` once.
    /// - Returns: the revoked sessions; nil when there is no such account.
    func suspend(
        _ user: UserID, reason: CodeWord, at now: Timestamp, hiding: Companion, in work: any UnitOfWork
    ) throws -> [SessionID]?
    /// Lifts a suspension, if there is one. Publishes `AccountRestored`.
    /// - Parameter showing: runs with true when the person stays hidden because the account is closed.
    /// - Returns: whether the account was suspended; nil when there is no such account.
    func restore(_ user: UserID, showing: @escaping HidingCompanion, along: @escaping Companion) async throws -> Bool?
    /// Revokes all sessions. Nil when there is no such account.
    func signOut(_ user: UserID, at now: Timestamp, along: @escaping Companion) async throws -> [SessionID]?
    /// Stores the hash of a one-time password reset token; replaces the last one.
    /// - Returns: false when there is no such account.
    func addReset(_ hash: [UInt8], for user: UserID, expiresAt: Timestamp, along: @escaping Companion) async throws -> Bool
    /// Whether a reset token may set a password.
    func knowsReset(_ hash: [UInt8], at now: Timestamp) async throws -> Bool
    /// Sets a new password, consumes the reset token and revokes all sessions.
    /// - Returns: the account and its revoked sessions; nil for a token that is unknown, used or expired.
    func reset(_ hash: [UInt8], password: String, at now: Timestamp) async throws -> (user: UserID, revoked: [SessionID])?
    /// Closes the account for good and enqueues its erasure for now.
    /// - Returns: the erasure job and the revoked sessions; nil when there is no such account.
    func closeForErasure(
        _ user: UserID, at now: Timestamp, hiding: @escaping Companion, along: @escaping Companion
    ) async throws -> (job: ErasureJob, revoked: [SessionID])?
    /// Runs `body` in its own write transaction.
    func write<Value: Sendable>(_ body: @escaping @Sendable (any UnitOfWork) throws -> Value) async throws -> Value
}
