/// The account and session that make a request.
public struct Principal: Hashable, Sendable {
    /// The account.
    public let user: UserID
    /// The session.
    public let session: SessionID
    /// When the access token expires.
    public let expiresAt: Timestamp

    /// Creates a principal.
    public init(user: UserID, session: SessionID, expiresAt: Timestamp) {
        self.user = user
        self.session = session
        self.expiresAt = expiresAt
    }
}

/// Port of Accounts: resolves an access token.
public protocol Authenticating: Sendable {
    /// The account and session of an access token.
    /// - Throws: A `ClientError` with status 401 if the token is malformed, forged or expired, or if its session was revoked.
    func authenticate(token: String) async throws -> Principal
}

/// Port of Accounts: tells whether a session may still act. It is checked where work is done for the session, not only where
/// the request arrived: by everything that outlives a request (connections, tickets, waiting polls) and by every write.
///
/// A session ends when it is revoked, when its account is closed or erased, and when its refresh token expires unused.
public protocol SessionLiveness: Sendable {
    /// Whether the session is live as of the last commit. A point read.
    func isLive(_ principal: Principal) async throws -> Bool
    /// Whether the session is live inside the open write.
    func isLive(_ principal: Principal, in work: any UnitOfWork) throws -> Bool
}

/// Port of Accounts: tells whether a stored answer that opened or continued a session is still useful to a client that repeats
/// its request.
public protocol GrantLiveness: Sendable {
    /// The user whose tokens an answer holds; nil if they no longer work: the session ended, or the refresh token was used or
    /// has expired. A point read.
    /// - Parameter answer: The body of an answer with `access_token` and `refresh_token`, as it was sent.
    func holder(of answer: [UInt8]) async throws -> UserID?
}

/// Port of Accounts: issues tokens without a password, for the operator's `spark token` and for fixtures.
public protocol TokenIssuing: Sendable {
    /// Opens a session for a user and returns its first access token.
    /// - Throws: A `ClientError` with status 404 if there is no such account.
    func issueToken(for user: UserID) async throws -> (token: String, expiresAt: Timestamp)
    /// Opens a session for a user and returns its tokens, as a login does.
    /// - Throws: A `ClientError` with status 404 if there is no such account, or if it is closed or suspended.
    func issueGrant(for user: UserID) async throws -> IssuedGrant
    /// The account with this e-mail address; nil if there is none.
    func user(withEmail email: String) async throws -> UserID?
}

/// The tokens of a session that was opened without a password.
public struct IssuedGrant: Sendable {
    /// For the header field `Authorization`.
    public let accessToken: String
    /// To be exchanged once.
    public let refreshToken: String
    /// When the access token expires.
    public let expiresAt: Timestamp

    /// Creates a grant.
    public init(accessToken: String, refreshToken: String, expiresAt: Timestamp) {
        (self.accessToken, self.refreshToken, self.expiresAt) = (accessToken, refreshToken, expiresAt)
    }
}

/// The validated form of a new account.
public struct Registration: Sendable {
    /// The new user.
    public let user: UserID
    /// The login address.
    public let email: String
    /// The display name.
    public let name: String
    /// The date of birth.
    public let birthDate: CivilDate
    /// The person's gender.
    public let gender: Gender
    /// The genders that the person wants to meet.
    public let interestedIn: GenderSet
    /// The time of the registration.
    public let registeredAt: Timestamp

    /// Creates a registration.
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

/// Contribution that Accounts opens: creates further rows with an account, in the same transaction.
public protocol RegistrationParticipant: Sendable {
    /// Creates the module's rows of the new account. An error rolls back the registration.
    func register(_ registration: Registration, in work: any UnitOfWork) throws
    /// The person as they see themselves: one JSON value, the `user` of the answers to register and login.
    func selfPortrait(of user: UserID) async throws -> [UInt8]
}

/// An account was created.
public struct UserRegistered: SparkEvent {
    /// `accounts.user_registered`.
    public static let name = "accounts.user_registered"
    /// The new user.
    public let user: UserID
    /// Creates the event.
    public init(user: UserID) { self.user = user }
}

/// A session was revoked: the person signed out, or the server ended it.
public struct SessionRevoked: SparkEvent {
    /// `accounts.session_revoked`.
    public static let name = "accounts.session_revoked"
    /// The session's user.
    public let user: UserID
    /// The revoked session.
    public let session: SessionID
    /// Creates the event.
    public init(user: UserID, session: SessionID) { (self.user, self.session) = (user, session) }
}

/// The owner asked to delete the account. It is invisible from now on and can be reopened until the grace period ends.
public struct AccountClosed: SparkEvent {
    /// `accounts.account_closed`.
    public static let name = "accounts.account_closed"
    /// The account.
    public let user: UserID
    /// Creates the event.
    public init(user: UserID) { self.user = user }
}

/// The owner reopened the account within the grace period.
public struct AccountReopened: SparkEvent {
    /// `accounts.account_reopened`.
    public static let name = "accounts.account_reopened"
    /// The account.
    public let user: UserID
    /// Creates the event.
    public init(user: UserID) { self.user = user }
}

/// Every row of the user was deleted.
public struct AccountErased: SparkEvent {
    /// `accounts.account_erased`.
    public static let name = "accounts.account_erased"
    /// The erased user.
    public let user: UserID
    /// Creates the event.
    public init(user: UserID) { self.user = user }
}

/// An operator suspended the account: the person is hidden, signed out, and cannot sign in until the account is restored.
public struct AccountSuspended: SparkEvent {
    /// `accounts.account_suspended`.
    public static let name = "accounts.account_suspended"
    /// The account.
    public let user: UserID
    /// Creates the event.
    public init(user: UserID) { self.user = user }
}

/// An operator lifted the suspension. An account that its owner closed meanwhile stays closed.
public struct AccountRestored: SparkEvent {
    /// `accounts.account_restored`.
    public static let name = "accounts.account_restored"
    /// The account.
    public let user: UserID
    /// Creates the event.
    public init(user: UserID) { self.user = user }
}

/// Contribution that Accounts opens: hides or shows a person in the transaction that closes, reopens, suspends or restores the
/// account. A person is hidden while the account is closed or suspended.
public protocol ClosureParticipant: Sendable {
    /// Hides the person if `isClosed` is true, and shows the person otherwise.
    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws
}

/// Port of Accounts: suspends an account as part of another module's decision.
public protocol AccountSuspending: Sendable {
    /// Suspends the account and ends its sessions in the given transaction.
    /// - Parameter reason: A code word that the operator chose.
    /// - Returns: False if there is no such account.
    func suspend(_ user: UserID, reason: CodeWord, in work: any UnitOfWork) throws -> Bool
}

/// Port of Accounts: erases people outside of requests.
public protocol AccountErasing: Sendable {
    /// Erases a person in every module, as at the end of the grace period, and returns when nothing is left.
    /// - Returns: False if there is no such account.
    func erase(_ user: UserID) async throws -> Bool
}

/// Contribution that Accounts opens: what a module shows operators about a person.
public protocol PersonDescribing: Sendable {
    /// The member of the answer that holds the description.
    var section: String { get }
    /// The description as JSON; nil if the module knows nothing about the person. It never contains places or secrets.
    func describe(_ user: UserID) async throws -> JSONValue?
    /// At most `limit` people whose name in this module begins with a text.
    func find(_ text: String, limit: Int) async throws -> [UserID]
}

extension PersonDescribing {
    /// Finds nobody.
    public func find(_ text: String, limit: Int) async throws -> [UserID] { [] }
}
