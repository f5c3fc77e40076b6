import SparkCore
import SparkKit

/// What is to happen in the same transaction, by other modules.
typealias Companion = @Sendable (any UnitOfWork) throws -> Void

/// The same, told whether the person is hidden from now on.
typealias HidingCompanion = @Sendable (Bool, any UnitOfWork) throws -> Void

/// Accounts, sessions and refresh tokens. Every write is one transaction, together with its events.
protocol AccountsStore: Sendable {
    /// Reads by key; run on the caller's thread, a few microseconds.
    func account(withEmail email: String) throws -> Account?
    /// Whether the account was signed in to from a network before, by its fingerprint.
    func knowsNetwork(_ fingerprint: [UInt8], of user: UserID) throws -> Bool
    /// When the owner of an open session last gave the password; nil when there is no such session.
    func confirmedAt(_ session: SessionID, of user: UserID) throws -> Timestamp?
    func account(of user: UserID) throws -> Account?
    /// Whether the session exists, is the user's, and is not revoked.
    func isOpen(_ session: SessionID, of user: UserID) throws -> Bool
    /// Whether the session is open and was used after `deadBefore`, as `work` sees it; as of the last commit if nil.
    func isLive(_ session: SessionID, of user: UserID, deadBefore: Timestamp, in work: (any UnitOfWork)?) throws -> Bool
    func hasOpenSession(_ user: UserID) throws -> Bool
    func knowsRefreshToken(_ hash: [UInt8]) throws -> Bool

    /// - Parameter forms: in which the address may be another account's.
    /// - Throws: `AccountsError.emailTaken` after the same work, or what a companion threw; then nothing was written.
    func register(
        _ account: Account, unlessTaken forms: [String], opening session: NewSession, along: @escaping Companion
    ) async throws
    /// Opens a session after a password was verified, and the account itself if it is closed.
    /// - Parameters:
    ///   - hash: against which the password was verified; if it is another by now, the answer is false.
    ///   - rehashed: takes its place, if given.
    ///   - graceBegin: an account closed at or before this stays closed; the answer is false.
    ///   - reopening: run if the account was closed.
    /// - Throws: `AccountsError.suspended`; then the account stays as it is.
    func logIn(
        _ session: NewSession, verifiedBy hash: String, rehashed: String?, graceBegin: Timestamp,
        reopening: @escaping Companion
    ) async throws -> Bool
    /// False when there is no such account, or it is closed or suspended.
    func open(_ session: NewSession) async throws -> Bool
    func refresh(_ refresh: Refresh) async throws -> RefreshOutcome
    /// Whose session a refresh token continues that has neither been used nor ended; on the caller's thread.
    func holder(ofUnused tokenHash: [UInt8], at now: Timestamp) throws -> UserID?

    /// Those not revoked and used since, the last used first; at most 200.
    func sessions(of user: UserID, usedSince: Timestamp) async throws -> [Session]
    /// False when the user has no such open session.
    func revoke(_ session: SessionID, of user: UserID, at now: Timestamp) async throws -> Bool
    /// The owner of a session gave the password. False when the session is not open, or `hash` is not the account's any more.
    func confirm(_ session: SessionID, of user: UserID, verifiedBy hash: String, at now: Timestamp) async throws -> Bool
    /// All open sessions but one. Returns those revoked.
    func revokeSessions(of user: UserID, except kept: SessionID, at now: Timestamp) async throws -> [SessionID]
    /// Returns the other sessions, which are revoked; nil when `old` is not the hash any more.
    func changePassword(
        of user: UserID, from old: String, to new: String, keeping kept: SessionID, at now: Timestamp
    ) async throws -> [SessionID]?

    /// Closes the account, revokes its sessions and enqueues its erasure. Closing it again changes nothing.
    /// - Returns: when it was closed, and the sessions revoked; nil when there is no such account.
    func close(
        _ user: UserID, at now: Timestamp, grace: Duration, along: @escaping Companion
    ) async throws -> (closedAt: Timestamp, revoked: [SessionID])?
    /// Erases a part of the person from every module, in a short transaction; with the last part the account itself.
    /// - Parameter isLast: whether a job for the rest is enqueued if there is more.
    func erase(_ job: ErasureJob, isLast: Bool) async throws -> ErasureOutcome
    /// The next part of everything stored of the person, over all modules, as JSON text, and where the one after it begins; nil after
    /// the last. Each part is read in a transaction of its own.
    func exportPiece(
        of user: UserID, at position: ExportPosition, maximumBytes: Int
    ) async throws -> (bytes: [UInt8], next: ExportPosition)?

    // For those who run the server.

    /// The account with its state; nil when there is none.
    func standing(of user: UserID, sessionsUsedSince: Timestamp) async throws -> AccountStanding?
    /// Accounts whose e-mail address begins with a text that is normalised, at most `limit`.
    func users(withEmailPrefix prefix: String, limit: Int) async throws -> [UserID]
    /// Suspends the account, or gives a suspended one another reason; revokes its sessions. Publishes `AccountSuspended` once.
    /// - Returns: the sessions revoked; nil when there is no such account.
    func suspend(
        _ user: UserID, reason: CodeWord, at now: Timestamp, hiding: Companion, in work: any UnitOfWork
    ) throws -> [SessionID]?
    /// Lifts a suspension, if there is one. Publishes `AccountRestored`.
    /// - Parameter showing: run with whether the person stays hidden, as the account is closed.
    /// - Returns: whether it was suspended; nil when there is no such account.
    func restore(_ user: UserID, showing: @escaping HidingCompanion, along: @escaping Companion) async throws -> Bool?
    /// Revokes all sessions. Nil when there is no such account.
    func signOut(_ user: UserID, at now: Timestamp, along: @escaping Companion) async throws -> [SessionID]?
    /// Keeps the hash of a token that sets a new password once, in place of the last one.
    /// - Returns: false when there is no such account.
    func addReset(_ hash: [UInt8], for user: UserID, expiresAt: Timestamp, along: @escaping Companion) async throws -> Bool
    /// Whether a token may set a password; on the caller's thread.
    func knowsReset(_ hash: [UInt8], at now: Timestamp) throws -> Bool
    /// Sets a new password with a token, which is used up, and revokes all sessions.
    /// - Returns: whose they were; nil for a token that is unknown, used or too old.
    func reset(_ hash: [UInt8], password: String, at now: Timestamp) async throws -> (user: UserID, revoked: [SessionID])?
    /// Closes the account so that it cannot come back, and enqueues its erasure for now.
    /// - Returns: the erasure; nil when there is no such account.
    func closeForErasure(
        _ user: UserID, at now: Timestamp, hiding: @escaping Companion, along: @escaping Companion
    ) async throws -> (job: ErasureJob, revoked: [SessionID])?
    /// Runs something in a transaction of its own.
    func write<Value: Sendable>(_ body: @escaping @Sendable (any UnitOfWork) throws -> Value) async throws -> Value
}
