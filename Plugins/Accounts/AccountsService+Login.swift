import Metrics
import SparkCore
import SparkKit

extension AccountsService {
    /// Creates an account and whatever the other modules keep of a person, in one transaction.
    /// - Throws: `AccountsError.underage`, `emailTaken`, `busy`, or `InvalidInput` for a birth date in the future.
    func register(_ form: RegistrationForm, label: String) async throws -> TokenGrant {
        let now = clock.now()
        guard form.birthDate <= now.date else {
            throw InvalidInput.refused("/birth_date", "range", "The day must not be in the future.")
        }
        guard form.birthDate.age(on: now.date) >= Self.adultAge else { throw AccountsError.underage }
        // Asked again in the transaction; here it spares the cost of a hash.
        guard try store.account(withEmail: form.email) == nil else { throw AccountsError.emailTaken }
        let hash = try await hasher.hash(form.password)
        let account = Account(
            id: identifiers.next(), email: form.email, passwordHash: hash.text, createdAt: now, closedAt: nil)
        let registration = Registration(
            user: account.id, email: form.email, name: form.name, birthDate: form.birthDate, gender: form.gender,
            interestedIn: form.interestedIn, registeredAt: now)
        let (session, token) = newSession(for: account.id, label: label, at: now)
        let participants = registrations.all
        try await store.register(account, opening: session) { work in
            for participant in participants { try participant.register(registration, in: work) }
        }
        metrics.registrations.increment()
        return try await grant(account.id, email: account.email, session: session, token: token)
    }

    /// Opens a session for who knows the password, and reopens an account closed less than the grace ago.
    /// - Throws: `AccountsError.credentialsRefused`, `tooManyAttempts`, `busy`.
    func logIn(email: String, password: String, label: String) async throws -> TokenGrant {
        let email = EmailAddress.normalised(email)
        let account = try await verified(password, of: email) { try store.account(withEmail: email) }
        guard let hash = account.passwordHash else { throw AccountsError.credentialsRefused }
        let now = clock.now()
        let (session, token) = newSession(for: account.id, label: label, at: now)
        let participants = closures.all
        let isOpen = try await store.logIn(
            session, verifiedBy: hash, rehashed: await strengthened(hash, password: password),
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
    func changePassword(of principal: Principal, from current: String, to new: String) async throws {
        guard let account = try store.account(of: principal.user) else { throw AccountsError.credentialsRefused }
        // A stolen access token must not be a way to guess the password, so this counts like a login.
        let verified = try await verified(current, of: account.email) { account }
        guard let old = verified.passwordHash else { throw AccountsError.credentialsRefused }
        let hash = try await hasher.hash(new)
        let now = clock.now()
        let revoked = try await store.changePassword(
            of: principal.user, from: old, to: hash.text, keeping: principal.session, at: now)
        guard let revoked else { throw AccountsError.credentialsRefused }
        noteRevoked(revoked, of: principal.user)
    }

    /// The account, if the password is its own; refuses after the same work whatever is wrong.
    private func verified(
        _ password: String, of email: String, _ find: () throws -> Account?
    ) async throws -> Account {
        do {
            try failedLogins.begin(email, at: clock.now())
        } catch {
            metrics.loginsLimited.increment()
            throw error
        }
        let account: Account?
        let isRight: Bool
        do {
            account = try find()
            let hash = account?.passwordHash.flatMap { PasswordHash(text: $0) }
            isRight = try await hasher.verify(password, against: hash)
        } catch {
            failedLogins.withdraw(email)
            throw error
        }
        guard isRight, let account else {
            metrics.loginsRefused.increment()
            throw AccountsError.credentialsRefused
        }
        failedLogins.forget(email)
        return account
    }

    /// A hash with today's parameters in place of a cheaper one. Best effort: when the hasher is busy, the next login does it.
    private func strengthened(_ text: String, password: String) async -> String? {
        guard let hash = PasswordHash(text: text), hasher.isWeak(hash) else { return nil }
        return try? await hasher.hash(password).text
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
