import Metrics
import SparkCore
import SparkKit

extension AccountsService {
    /// Creates an account and whatever the other modules keep of a person, in one transaction. Whether the address is taken shows only
    /// after the same work.
    /// - Throws: `AccountsError.underage`, `emailTaken`, `tooManyRegistrations`, `busy`, or `InvalidInput` for a birth date in the
    ///   future.
    func register(_ form: RegistrationForm, client: Client) async throws -> TokenGrant {
        let now = clock.now()
        guard form.birthDate <= now.date else {
            throw InvalidInput.refused("/birth_date", "range", "The day must not be in the future.")
        }
        guard form.birthDate.age(on: now.date) >= Self.adultAge else { throw AccountsError.underage }
        let hash = try await guesses.register(from: client.network) { try await hasher.hash(form.password, for: $0) }
        let account = Account(
            id: identifiers.next(), email: form.email, passwordHash: hash.text, createdAt: now, closedAt: nil)
        let registration = Registration(
            user: account.id, email: form.email, name: form.name, birthDate: form.birthDate, gender: form.gender,
            interestedIn: form.interestedIn, registeredAt: now)
        let (session, token) = newSession(for: account.id, from: client, at: now)
        let participants = registrations.all
        try await store.register(account, unlessTaken: form.emailForms, opening: session) { work in
            for participant in participants { try participant.register(registration, in: work) }
        }
        metrics.registrations.increment()
        return try await grant(account.id, email: account.email, session: session, token: token)
    }

    /// Opens a session for who knows the password, and reopens an account closed less than the grace ago.
    /// - Throws: `AccountsError.credentialsRefused`, `tooManyAttempts`, `busy`.
    func logIn(email: String, password: String, client: Client) async throws -> TokenGrant {
        let found = try account(withEmail: email)
        // Looked up for an account that is none, too.
        let user = found?.id ?? UserID(rawValue: 0)
        let isKnown = try store.knowsNetwork(networks.fingerprint(of: client.network, at: user), of: user)
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

    /// Changes the password; whoever is logged in elsewhere must log in again.
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

    /// Takes the password as a proof that the session is its owner's.
    func confirm(_ principal: Principal, password: String, network: String) async throws {
        let hash = try await provenHash(of: principal, password: password, network: network)
        guard try await store.confirm(principal.session, of: principal.user, verifiedBy: hash, at: clock.now()) else {
            throw AccountsError.credentialsRefused
        }
    }

    /// - Throws: `AccountsError.confirmationNeeded` when the session's password was last given too long ago: a stolen token alone must
    ///   not do what cannot be taken back.
    func requireRecentLogin(of principal: Principal) throws {
        guard let confirmedAt = try store.confirmedAt(principal.session, of: principal.user) else {
            throw EdgeError.unauthenticated
        }
        // Beyond now when the clock was set back.
        guard abs((clock.now() - confirmedAt).milliseconds) <= configuration.recentLogin.milliseconds else {
            throw AccountsError.confirmationNeeded
        }
    }

    /// The hash that the password of a session's owner belongs to. A stolen access token must not be a way to guess the password, so
    /// this counts like a login.
    private func provenHash(of principal: Principal, password: String, network: String) async throws -> String {
        guard let account = try store.account(of: principal.user) else { throw AccountsError.credentialsRefused }
        // Counted by session: who guesses from elsewhere does not make this one wait.
        let guess = Guess(email: account.email, origin: principal.session.wire, trust: .session)
        guard let hash = try await verified(password, of: account, guess, network: network).passwordHash else {
            throw AccountsError.credentialsRefused
        }
        return hash
    }

    /// The account, if the password is its own; refuses after the same work whatever is wrong.
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

    /// A hash with today's parameters in place of a cheaper one. Best effort: when the hasher is busy, the next login does it.
    private func strengthened(_ text: String, password: String, network: String) async -> String? {
        guard let hash = PasswordHash(text: text), hasher.isWeak(hash) else { return nil }
        return try? await hasher.hash(password, for: HashClaim(network: network, lane: .known)).text
    }

    private func grant(
        _ user: UserID, email: String, session: NewSession, token: RefreshToken
    ) async throws -> TokenGrant {
        let access = try await accessTokens.sign(user, session.id, at: session.openedAt)
        return TokenGrant(
            portrait: try await portrait(of: user, email: email), accessToken: access.text, refreshToken: token.text,
            lifetime: configuration.accessTokenLifetime)
    }

    /// The first participant's view; the bare account where no module keeps more of a person.
    private func portrait(of user: UserID, email: String) async throws -> [UInt8] {
        if let participant = registrations.all.first { return try await participant.selfPortrait(of: user) }
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", user)
            writer.field("email", email)
        }
        return writer.bytes
    }
}
