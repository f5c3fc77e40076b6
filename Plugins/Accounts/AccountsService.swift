import Crypto
import Metrics
import SparkCache
import SparkCore
import SparkKit
import SparkStorage

/// The client that asks for a session.
struct Client: Sendable {
    /// The key for the limits per network.
    let network: String
    /// The session's label in the list of sessions.
    let label: String
}

/// The rules of Accounts: registration, login, sessions, tokens, closing and the operators' actions.
final class AccountsService: Sendable {
    private static let adultAge = 18

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

    /// Makes a session to be opened, with its first refresh token.
    private func newSession(
        for user: UserID, from client: Client, at now: Timestamp
    ) -> (session: NewSession, token: RefreshToken) {
        let token = refreshTokens.first()
        let network = networks.fingerprint(of: client.network, at: user)
        return (newSession(for: user, label: client.label, at: now, token: token, network: network), token)
    }

    private func newSession(
        for user: UserID, label: String, at now: Timestamp, token: RefreshToken?, network: [UInt8]?
    ) -> NewSession {
        NewSession(
            id: identifiers.next(), user: user, openedAt: now, label: label,
            refreshToken: token.map { ($0.hash, now + configuration.refreshTokenLifetime) }, network: network,
            deadBefore: now - configuration.refreshTokenLifetime)
    }

    /// Finds an account by e-mail address, in any spelling.
    func account(withEmail email: String) async throws -> Account? {
        for form in EmailAddress.forms(email) {
            if let account = try await store.account(withEmail: form) { return account }
        }
        return nil
    }

    /// Counts revoked sessions, and lets the cache demote the user's entries after the last one.
    private func noteRevoked(_ sessions: [SessionID], of user: UserID) {
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

    func issueGrant(for user: UserID) async throws -> IssuedGrant {
        let now = clock.now()
        let refreshToken = refreshTokens.first()
        let session = newSession(for: user, label: "token", at: now, token: refreshToken, network: nil)
        guard try await store.open(session) else { throw AccountsError.unknownAccount }
        let (text, expiresAt) = try await accessTokens.sign(user, session.id, at: now)
        return IssuedGrant(accessToken: text, refreshToken: refreshToken.text, expiresAt: expiresAt)
    }

    func user(withEmail email: String) async throws -> UserID? {
        try await account(withEmail: email)?.id
    }
}

extension AccountsService {
    /// Creates an account and the other modules' rows for the person in one transaction. A taken address costs the same work, so
    /// that the response time does not reveal it.
    /// - Throws: `AccountsError.underage`, `emailTaken`, `tooManyRegistrations`, `busy`, or `InvalidInput` for a birth date in
    ///   the future.
    func register(_ form: RegistrationForm, client: Client) async throws -> TokenGrant {
        let now = clock.now()
        guard form.birth.day <= now.date else {
            throw InvalidInput.refused("/birth_date", "range", "The day must not be in the future.")
        }
        guard form.birth.day.age(on: now.date) >= Self.adultAge else { throw AccountsError.underage }
        let hash = try await guesses.register(from: client.network) { try await hasher.hash(form.password, for: $0) }
        let account = Account(
            id: identifiers.next(), email: form.address.text, passwordHash: hash.text, createdAt: now, closedAt: nil)
        let registration = Registration(
            user: account.id, email: form.address.text, name: form.name, birthDate: form.birth.day, gender: form.gender,
            interestedIn: form.interestedIn, registeredAt: now)
        let (session, token) = newSession(for: account.id, from: client, at: now)
        let participants = registrations.all
        try await store.register(account, unlessTaken: form.address.forms, opening: session) { work in
            for participant in participants { try participant.register(registration, in: work) }
        }
        metrics.registrations.increment()
        return try await grant(account.id, email: account.email, session: session, token: token)
    }

    /// Opens a session after a correct password, and reopens an account closed within the grace period.
    /// - Throws: `AccountsError.credentialsRefused`, `tooManyAttempts`, `busy` or `suspended`.
    func logIn(email: String, password: String, client: Client) async throws -> TokenGrant {
        let found = try await account(withEmail: email)
        // Also looked up when there is no account, so that the time is the same.
        let user = found?.id ?? UserID(rawValue: 0)
        let isKnown = try await store.knowsNetwork(networks.fingerprint(of: client.network, at: user), of: user)
        let guess = Guess(
            email: EmailAddress.normalised(email), origin: client.network, trust: isKnown ? .network : .stranger)
        let account = try await verified(password, of: found, guess, network: client.network)
        guard let hash = account.passwordHash else { throw AccountsError.credentialsRefused }
        let now = clock.now()
        let (session, token) = newSession(for: account.id, from: client, at: now)
        let participants = closures.all
        let isOpen = try await store.logIn(
            session, verifiedBy: hash, rehashed: await strengthened(hash, password: password, network: client.network),
            graceBegin: now - configuration.eraseGrace
        ) { work in
            for participant in participants { try participant.setClosed(false, user: account.id, in: work) }
        }
        guard isOpen else {
            metrics.loginsRefused.increment()
            throw AccountsError.credentialsRefused
        }
        metrics.loginsOK.increment()
        hints.began(account.id)
        return try await grant(account.id, email: account.email, session: session, token: token)
    }

    /// Changes the password and revokes the person's other sessions.
    func changePassword(
        of principal: Principal, from current: String, to new: String, network: String
    ) async throws {
        let old = try await provenHash(of: principal, password: current, network: network)
        let hash = try await hasher.hash(new, for: HashClaim(network: network, lane: .known))
        let now = clock.now()
        let revoked = try await store.changePassword(
            of: principal.user, from: old, to: hash.text, keeping: principal.session, at: now)
        guard let revoked else { throw AccountsError.credentialsRefused }
        noteRevoked(revoked, of: principal.user)
    }

    /// Records that the session's owner gave the password.
    func confirm(_ principal: Principal, password: String, network: String) async throws {
        let hash = try await provenHash(of: principal, password: password, network: network)
        guard try await store.confirm(principal.session, of: principal.user, verifiedBy: hash, at: clock.now()) else {
            throw AccountsError.credentialsRefused
        }
    }

    /// - Throws: `AccountsError.confirmationNeeded` when the session's password was last given too long ago: a stolen token alone
    ///   must not allow irreversible actions.
    func requireRecentLogin(of principal: Principal) async throws {
        guard let confirmedAt = try await store.confirmedAt(principal.session, of: principal.user) else {
            throw EdgeError.unauthenticated
        }
        // `confirmedAt` lies in the future when the clock was set back.
        guard abs((clock.now() - confirmedAt).milliseconds) <= configuration.recentLogin.milliseconds else {
            throw AccountsError.confirmationNeeded
        }
    }

    /// Verifies the password of a session's owner and returns its hash. A stolen access token must not help to guess the
    /// password, so this counts like a login.
    private func provenHash(of principal: Principal, password: String, network: String) async throws -> String {
        guard let account = try await store.account(of: principal.user) else { throw AccountsError.credentialsRefused }
        // Counted by session, so that guesses from elsewhere do not delay this one.
        let guess = Guess(email: account.email, origin: principal.session.wire, trust: .session)
        guard let hash = try await verified(password, of: account, guess, network: network).passwordHash else {
            throw AccountsError.credentialsRefused
        }
        return hash
    }

    /// The account, if the password is right. Every refusal costs the same work.
    private func verified(
        _ password: String, of account: Account?, _ guess: Guess, network: String
    ) async throws -> Account {
        let hash = account?.passwordHash.flatMap { PasswordHash(text: $0) }
        let isRight: Bool
        do {
            isRight = try await guesses.attempt(guess, network: network) { claim in
                try await hasher.verify(password, against: hash, for: claim)
            }
        } catch let error as AccountsError {
            if case .tooManyAttempts = error { metrics.loginsLimited.increment() }
            throw error
        }
        guard isRight, let account else {
            metrics.loginsRefused.increment()
            throw AccountsError.credentialsRefused
        }
        return account
    }

    /// A new hash with the current parameters, if the old one is cheaper. Best effort: if the hasher is busy, the next login does
    /// it.
    private func strengthened(_ text: String, password: String, network: String) async -> String? {
        guard let hash = PasswordHash(text: text), hasher.isWeak(hash) else { return nil }
        return try? await hasher.hash(password, for: HashClaim(network: network, lane: .known)).text
    }

    private func grant(
        _ user: UserID, email: String, session: NewSession, token: RefreshToken
    ) async throws -> TokenGrant {
        let access = try await accessTokens.sign(user, session.id, at: session.openedAt)
        return TokenGrant(
            portrait: try await portrait(of: user, email: email),
            tokens: SessionTokens(
                accessToken: access.text, refreshToken: token.text, lifetime: configuration.accessTokenLifetime))
    }

    /// The first participant's view of the person; the bare account if no module contributes one.
    private func portrait(of user: UserID, email: String) async throws -> [UInt8] {
        if let participant = registrations.all.first { return try await participant.selfPortrait(of: user) }
        return JSONWriter.bytes(of: BareAccount(id: user, email: email))
    }
}

extension AccountsService {
    /// Exchanges a refresh token for its successor and a new access token.
    /// - Throws: `AccountsError.refreshRefused`, or `refreshReused` after revoking the session.
    func refresh(_ text: String, from network: String) async throws -> SessionTokens {
        // An unknown token never costs a place in the write queue.
        guard let token = RefreshToken(text: text), try await store.knowsRefreshToken(token.hash) else {
            throw AccountsError.refreshRefused
        }
        let now = clock.now()
        let successor = refreshTokens.successor(of: token)
        let outcome = try await store.refresh(
            Refresh(
                tokenHash: token.hash, successorHash: successor.hash, at: now,
                successorExpiresAt: now + configuration.refreshTokenLifetime, repeatWindow: configuration.refreshRepeatWindow,
                network: network)
        )
        switch outcome {
        case .granted(let user, let session):
            hints.began(user)
            let access = try await accessTokens.sign(user, session, at: now)
            return SessionTokens(
                accessToken: access.text, refreshToken: successor.text, lifetime: configuration.accessTokenLifetime)
        case .reused(let user, let session):
            noteRevoked([session], of: user)
            throw AccountsError.refreshReused
        case .refused:
            throw AccountsError.refreshRefused
        }
    }

    func sessions(of principal: Principal) async throws -> [SessionLine] {
        let open = try await store.sessions(of: principal.user, usedSince: clock.now() - configuration.refreshTokenLifetime)
        return open.map { SessionLine(session: $0, isCurrent: $0.id == principal.session) }
    }

    /// Idempotent.
    func logOut(_ principal: Principal) async throws {
        let now = clock.now()
        if try await store.revoke(principal.session, of: principal.user, at: now) {
            noteRevoked([principal.session], of: principal.user)
        }
    }

    /// - Throws: `EdgeError.notFound` when the session is another user's or no longer open.
    func revoke(_ session: SessionID, of user: UserID) async throws {
        let now = clock.now()
        guard try await store.revoke(session, of: user, at: now) else { throw EdgeError.notFound }
        noteRevoked([session], of: user)
    }

    func revokeOthers(than principal: Principal) async throws {
        let now = clock.now()
        noteRevoked(
            try await store.revokeSessions(of: principal.user, except: principal.session, at: now), of: principal.user)
    }
}

extension AccountsService {
    /// After this time the rest of an erasure is queued behind the other jobs.
    private static let longestErasure = Duration.seconds(10)
    private static let longestRest = Duration.milliseconds(50)

    /// Hides the person at once and schedules the erasure for the end of the grace period. A login before then reopens the
    /// account.
    /// - Returns: when the grace period ends.
    func close(_ user: UserID) async throws -> Timestamp {
        let now = clock.now()
        let participants = closures.all
        let closure = try await store.close(user, at: now, grace: configuration.eraseGrace) { work in
            for participant in participants { try participant.setClosed(true, user: user, in: work) }
        }
        guard let closure else { throw EdgeError.notFound }
        noteRevoked(closure.revoked, of: user)
        return closure.closedAt + configuration.eraseGrace
    }

    /// Erases step by step, each step in a short transaction. The job runs at least once: after a crash it continues with the
    /// rest, and a repeated run finds nothing left in the store. The person's cache entries on disk are overwritten before the
    /// job is done.
    /// - Returns: whether all is erased; if not, another job does the rest.
    @discardableResult func erase(_ job: ErasureJob) async throws -> Bool {
        let end = ContinuousClock.now + Self.longestErasure
        while true {
            let begin = ContinuousClock.now
            let isLast = begin >= end
            let outcome = try await store.erase(job, isLast: isLast)
            switch outcome {
            case .unfinished where isLast: return false
            case .unfinished:
                // Uses at most half of the writer's time, so that other writes are not delayed.
                try await Task.sleep(for: min(ContinuousClock.now - begin, Self.longestRest))
                continue
            // Erased by an earlier run of this job, which may have ended before it reached the cache.
            case .obsolete where try await store.account(of: job.user) != nil: return false
            case .obsolete, .finished:
                await cache.erase(userTags.tags(of: job.user))
                return true
            }
        }
    }

    /// Streams everything stored about a person.
    /// - Throws: `AdmissionRefused` when the person has an export in progress or had too many today, or the server has too many.
    func export(for principal: Principal) throws -> AsyncThrowingStream<[UInt8], any Error> {
        let permit = try admission.permit(for: .exports, person: principal.user)
        let store = store
        let export = PersonalExport(
            at: clock.now(), metrics: metrics, permit: permit,
            isOpen: { try await store.isOpen(principal.session, of: principal.user) },
            read: { try await store.exportPiece(of: principal.user, at: $0, maximumBytes: $1) })
        return AsyncThrowingStream { try await export.next() }
    }

    /// The same for an operator: needs no session and counts against no limit.
    /// - Throws: `AccountsError.unknownAccount`.
    func exportForOperator(_ user: UserID) async throws -> PersonalExport {
        guard try await store.account(of: user) != nil else { throw AccountsError.unknownAccount }
        let store = store
        return PersonalExport(
            at: clock.now(), metrics: metrics, permit: nil, isOpen: { try await store.account(of: user) != nil },
            read: { try await store.exportPiece(of: user, at: $0, maximumBytes: $1) })
    }
}

/// A token for a password reset link, and its expiry.
struct ResetLink: Sendable {
    let token: String
    let expiresAt: Timestamp
}

extension AccountsService {
    /// The account that an operator names by identifier or e-mail address.
    /// - Throws: `AccountsError.unknownAccount`.
    func user(named name: String) async throws -> UserID {
        if let id = UserID(wire: name) {
            guard try await store.account(of: id) != nil else { throw AccountsError.unknownAccount }
            return id
        }
        guard let account = try await store.account(withEmail: EmailAddress.normalised(name)) else {
            throw AccountsError.unknownAccount
        }
        return account.id
    }

    /// The account and its state.
    /// - Throws: `AccountsError.unknownAccount`.
    func standing(of user: UserID) async throws -> AccountStanding {
        let since = clock.now() - configuration.refreshTokenLifetime
        guard let standing = try await store.standing(of: user, sessionsUsedSince: since) else {
            throw AccountsError.unknownAccount
        }
        return standing
    }

    /// Hides the person, revokes their sessions and refuses logins.
    /// - Returns: the number of revoked sessions.
    func suspend(_ user: UserID, reason: CodeWord, along: @escaping Companion) async throws -> Int {
        let (now, hiding) = (clock.now(), companion(hiding: true, user))
        let revoked = try await store.write { [store] work in
            let revoked = try store.suspend(user, reason: reason, at: now, hiding: hiding, in: work)
            if revoked != nil { try along(work) }
            return revoked
        }
        guard let revoked else { throw AccountsError.unknownAccount }
        noteRevoked(revoked, of: user)
        return revoked.count
    }

    /// Lifts a suspension.
    /// - Returns: whether the account was suspended.
    func restore(_ user: UserID, along: @escaping Companion) async throws -> Bool {
        let participants = closures.all
        let wasSuspended = try await store.restore(
            user,
            showing: { isClosed, work in
                for participant in participants { try participant.setClosed(isClosed, user: user, in: work) }
            }, along: along)
        guard let wasSuspended else { throw AccountsError.unknownAccount }
        return wasSuspended
    }

    /// Revokes all sessions of the account.
    /// - Returns: the number of revoked sessions.
    /// - Throws: `AccountsError.unknownAccount`.
    func signOut(_ user: UserID, along: @escaping Companion) async throws -> Int {
        guard let revoked = try await store.signOut(user, at: clock.now(), along: along) else {
            throw AccountsError.unknownAccount
        }
        noteRevoked(revoked, of: user)
        return revoked.count
    }

    /// Makes a password reset link. Only its hash is stored; an earlier link of the person becomes invalid.
    func resetLink(for user: UserID, along: @escaping Companion) async throws -> ResetLink {
        let token = refreshTokens.secrets.bytes(32)
        let link = ResetLink(token: Base64URL.encode(token), expiresAt: clock.now() + configuration.resetLifetime)
        let isAdded = try await store.addReset(
            Array(SHA256.hash(data: token)), for: user, expiresAt: link.expiresAt, along: along)
        guard isAdded else { throw AccountsError.unknownAccount }
        return link
    }

    /// Sets a new password with a reset token, and revokes every session.
    /// - Throws: `AccountsError.resetRefused`, the same for every invalid token; `busy`.
    func resetPassword(_ token: String, to password: String, network: String) async throws {
        // An unknown token costs neither a password hash nor a place in the write queue.
        guard let bytes = Base64URL.decode(token), bytes.count == 32 else { throw AccountsError.resetRefused }
        let digest = Array(SHA256.hash(data: bytes))
        guard try await store.knowsReset(digest, at: clock.now()) else { throw AccountsError.resetRefused }
        let hash = try await hasher.hash(password, for: HashClaim(network: network, lane: .known))
        guard let (user, revoked) = try await store.reset(digest, password: hash.text, at: clock.now()) else {
            throw AccountsError.resetRefused
        }
        noteRevoked(revoked, of: user)
    }

    /// Erases the person now, with the same job that ends the grace period of a deleted account.
    /// - Returns: false when there is too much data for one run and the rest is erased in the background.
    func eraseNow(_ user: UserID, along: @escaping Companion) async throws -> Bool {
        let closed = try await store.closeForErasure(
            user, at: clock.now(), hiding: companion(hiding: true, user), along: along)
        guard let closed else { throw AccountsError.unknownAccount }
        noteRevoked(closed.revoked, of: user)
        return try await erase(closed.job)
    }

    private func companion(hiding isHidden: Bool, _ user: UserID) -> Companion {
        let participants = closures.all
        return { work in
            for participant in participants { try participant.setClosed(isHidden, user: user, in: work) }
        }
    }
}

extension AccountsService: AccountErasing {
    func erase(_ user: UserID) async throws -> Bool {
        do {
            while try await !eraseNow(user, along: { _ in }) {}
            return true
        } catch AccountsError.unknownAccount {
            return false
        }
    }
}

extension AccountsService: AccountSuspending {
    func suspend(_ user: UserID, reason: CodeWord, in work: any UnitOfWork) throws -> Bool {
        let revoked = try store.suspend(
            user, reason: reason, at: clock.now(), hiding: companion(hiding: true, user), in: work)
        guard let revoked else { return false }
        // Counting also changes the cache, so it waits for the commit.
        work.transaction.afterCommit { [self] in noteRevoked(revoked, of: user) }
        return true
    }
}
