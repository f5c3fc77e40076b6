import Metrics
import SparkCache
import SparkCore
import SparkKit

/// Who asks for a session.
struct Client: Sendable {
    /// As limits count it.
    let network: String
    /// How the session is shown in the list.
    let label: String
}

/// The decisions of Accounts: who may have an account, a session, a token. Registration and login, sessions and closing
/// stand in files of their own.
final class AccountsService: Sendable {
    static let adultAge = 18

    let configuration: AccountsConfiguration
    let store: any AccountsStore
    let hasher: PasswordHasher
    let accessTokens: AccessTokens
    let refreshTokens: RefreshTokenChain
    let hints: SessionHints
    let cache: Cache
    let guesses: GuessGate
    let networks: KnownNetworks
    let admission: Admission
    let metrics: AccountsMetrics
    let clock: any WallClock
    let identifiers: IdentifierGenerator
    let registrations: Contributions<any RegistrationParticipant>
    let closures: Contributions<any ClosureParticipant>
    let userTags: Contributions<UserTagKind>

    init(
        configuration: AccountsConfiguration, store: any AccountsStore, hasher: PasswordHasher, accessTokens: AccessTokens,
        refreshTokens: RefreshTokenChain, hints: SessionHints, cache: Cache, guesses: GuessGate, networks: KnownNetworks,
        admission: Admission, metrics: AccountsMetrics,
        clock: any WallClock, identifiers: IdentifierGenerator, registrations: Contributions<any RegistrationParticipant>,
        closures: Contributions<any ClosureParticipant>, userTags: Contributions<UserTagKind>
    ) {
        self.configuration = configuration
        self.store = store
        self.hasher = hasher
        self.accessTokens = accessTokens
        self.refreshTokens = refreshTokens
        self.hints = hints
        self.cache = cache
        self.guesses = guesses
        self.networks = networks
        self.admission = admission
        self.metrics = metrics
        self.clock = clock
        self.identifiers = identifiers
        self.registrations = registrations
        self.closures = closures
        self.userTags = userTags
    }

    /// A session about to be opened, with its first refresh token.
    func newSession(
        for user: UserID, from client: Client, at now: Timestamp
    ) -> (session: NewSession, token: RefreshToken) {
        let token = refreshTokens.first()
        let network = networks.fingerprint(of: client.network, at: user)
        return (newSession(for: user, label: client.label, at: now, token: token, network: network), token)
    }

    func newSession(
        for user: UserID, label: String, at now: Timestamp, token: RefreshToken?, network: [UInt8]?
    ) -> NewSession {
        NewSession(
            id: identifiers.next(), user: user, openedAt: now, label: label,
            refreshToken: token.map { ($0.hash, now + configuration.refreshTokenLifetime) }, network: network,
            deadBefore: now - configuration.refreshTokenLifetime)
    }

    /// The account with an address, however it is spelt.
    func account(withEmail email: String) throws -> Account? {
        for form in EmailAddress.forms(email) {
            if let account = try store.account(withEmail: form) { return account }
        }
        return nil
    }

    /// Counts revocations, which hold since their commit.
    func noteRevoked(_ sessions: [SessionID], of user: UserID) {
        metrics.sessionsRevoked.increment(by: sessions.count)
        if !sessions.isEmpty { hints.ended(user) }
    }
}

extension AccountsService: TokenIssuing {
    func issueToken(for user: UserID) async throws -> (token: String, expiresAt: Timestamp) {
        let now = clock.now()
        let session = newSession(for: user, label: "token", at: now, token: nil, network: nil)
        guard try await store.open(session) else { throw AccountsError.unknownAccount }
        let (text, expiresAt) = try await accessTokens.sign(user, session.id, at: now)
        return (text, expiresAt)
    }

    func user(withEmail email: String) async throws -> UserID? {
        try account(withEmail: email)?.id
    }
}
