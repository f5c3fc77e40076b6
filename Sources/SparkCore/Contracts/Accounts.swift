/// Who makes a request: an account, in one of its sessions.
public struct Principal: Hashable, Sendable {
    public let user: UserID
    public let session: SessionID
    /// When the access token ends.
    public let expiresAt: Timestamp

    public init(user: UserID, session: SessionID, expiresAt: Timestamp) {
        self.user = user
        self.session = session
        self.expiresAt = expiresAt
    }
}

/// Port of Accounts: who stands behind an access token.
public protocol Authenticating: Sendable {
    /// - Throws: a `ClientError` of status 401 for a token that is malformed, forged, expired or of a revoked session.
    func authenticate(token: String) async throws -> Principal
}

/// Port of Accounts: whether a session may still act. Asked where something is done on its behalf, and not only where it came in:
/// by what outlives a request (connections, tickets, waiting polls) and by every write.
///
/// A session ends when it is revoked, when its account is closed or erased, and when its refresh token has run out unused.
public protocol SessionLiveness: Sendable {
    /// As of the last commit. A point read on the caller's thread.
    func isLive(_ principal: Principal) throws -> Bool
    /// As the open write sees it.
    func isLive(_ principal: Principal, in work: any UnitOfWork) throws -> Bool
}

/// Port of Accounts: whether an answer that opened or continued a session is still worth anything to the client who repeats the request.
public protocol GrantLiveness: Sendable {
    /// The person whose tokens an answer holds; nil when they no longer work: the session ended, or the refresh token was used or ran
    /// out. A point read on the caller's thread.
    /// - Parameter answer: the body of an answer with `access_token` and `refresh_token`, as it was sent.
    func holder(of answer: [UInt8]) throws -> UserID?
}

/// Port of Accounts: tokens without a password, for the operator's `spark token` and for fixtures.
public protocol TokenIssuing: Sendable {
    /// Opens a session for a user and gives its first access token.
    /// - Throws: a `ClientError` of status 404 when there is no such account.
    func issueToken(for user: UserID) async throws -> (token: String, expiresAt: Timestamp)
    /// The account with this e-mail address.
    func user(withEmail email: String) async throws -> UserID?
}

/// What a person gives on registering, validated.
public struct Registration: Sendable {
    public let user: UserID
    public let email: String
    public let name: String
    public let birthDate: CivilDate
    public let gender: Gender
    public let interestedIn: GenderSet
    public let registeredAt: Timestamp

    public init(
        user: UserID, email: String, name: String, birthDate: CivilDate, gender: Gender, interestedIn: GenderSet,
        registeredAt: Timestamp
    ) {
        self.user = user
        self.email = email
        self.name = name
        self.birthDate = birthDate
        self.gender = gender
        self.interestedIn = interestedIn
        self.registeredAt = registeredAt
    }
}

/// Contribution that Accounts opens: what else comes into being with an account, in the same transaction.
public protocol RegistrationParticipant: Sendable {
    func register(_ registration: Registration, in work: any UnitOfWork) throws
    /// The person as they see themselves: one JSON value, the `user` of the answers to register and login.
    func selfPortrait(of user: UserID) async throws -> [UInt8]
}

public struct UserRegistered: SparkEvent {
    public static let name = "accounts.user_registered"
    public let user: UserID
    public init(user: UserID) { self.user = user }
}

public struct SessionRevoked: SparkEvent {
    public static let name = "accounts.session_revoked"
    public let user: UserID
    public let session: SessionID
    public init(user: UserID, session: SessionID) { (self.user, self.session) = (user, session) }
}

/// The account asked for its deletion; it is invisible from now on and can come back until the grace ends.
public struct AccountClosed: SparkEvent {
    public static let name = "accounts.account_closed"
    public let user: UserID
    public init(user: UserID) { self.user = user }
}

/// The owner came back within the grace.
public struct AccountReopened: SparkEvent {
    public static let name = "accounts.account_reopened"
    public let user: UserID
    public init(user: UserID) { self.user = user }
}

/// Every row of the user is gone.
public struct AccountErased: SparkEvent {
    public static let name = "accounts.account_erased"
    public let user: UserID
    public init(user: UserID) { self.user = user }
}

/// An operator suspended the account: the person is hidden, signed out, and cannot sign in until the account is restored.
public struct AccountSuspended: SparkEvent {
    public static let name = "accounts.account_suspended"
    public let user: UserID
    public init(user: UserID) { self.user = user }
}

/// An operator lifted the suspension. An account that its owner closed meanwhile stays closed.
public struct AccountRestored: SparkEvent {
    public static let name = "accounts.account_restored"
    public let user: UserID
    public init(user: UserID) { self.user = user }
}

/// Contribution that Accounts opens: who must hide or show a person, in the transaction that closes, reopens, suspends or restores
/// the account. A person is hidden as long as the account is closed or suspended.
public protocol ClosureParticipant: Sendable {
    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws
}

/// Port of Accounts: suspends an account as part of another module's decision.
public protocol AccountSuspending: Sendable {
    /// Suspends the account and ends its sessions in the given transaction.
    /// - Parameter reason: a code word that the operator chose.
    /// - Returns: false when there is no such account.
    func suspend(_ user: UserID, reason: CodeWord, in work: any UnitOfWork) throws -> Bool
}

/// Contribution that Accounts opens: what a module shows operators of a person.
public protocol PersonDescribing: Sendable {
    /// The member of the answer under which the description appears.
    var section: String { get }
    /// Nil when the module knows nothing of the person. No place and no secret is ever part of it.
    func describe(_ user: UserID) async throws -> JSONValue?
    /// People whom the module knows by a name that begins with a text, at most `limit`.
    func find(_ text: String, limit: Int) async throws -> [UserID]
}

extension PersonDescribing {
    public func find(_ text: String, limit: Int) async throws -> [UserID] { [] }
}
