import Crypto
import SparkCore
import SparkKit
import SparkStorage

/// A link that sets a new password, and when it ends.
struct ResetLink: Sendable {
    let token: String
    let expiresAt: Timestamp
}

extension AccountsService {
    /// The account that an operator names by identifier or e-mail address.
    /// - Throws: `AccountsError.unknownAccount`.
    func user(named name: String) throws -> UserID {
        if let id = UserID(wire: name) {
            guard try store.account(of: id) != nil else { throw AccountsError.unknownAccount }
            return id
        }
        guard let account = try store.account(withEmail: EmailAddress.normalised(name)) else {
            throw AccountsError.unknownAccount
        }
        return account.id
    }

    /// The account with its state.
    func standing(of user: UserID) async throws -> AccountStanding {
        let since = clock.now() - configuration.refreshTokenLifetime
        guard let standing = try await store.standing(of: user, sessionsUsedSince: since) else {
            throw AccountsError.unknownAccount
        }
        return standing
    }

    /// Hides the person, ends their sessions and keeps them out.
    /// - Returns: how many sessions ended.
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

    /// - Returns: how many sessions ended.
    func signOut(_ user: UserID, along: @escaping Companion) async throws -> Int {
        guard let revoked = try await store.signOut(user, at: clock.now(), along: along) else {
            throw AccountsError.unknownAccount
        }
        noteRevoked(revoked, of: user)
        return revoked.count
    }

    /// A link to a new password. Only its hash is kept; an earlier link of the person ends.
    func resetLink(for user: UserID, along: @escaping Companion) async throws -> ResetLink {
        let token = refreshTokens.secrets.bytes(32)
        let link = ResetLink(token: Base64URL.encode(token), expiresAt: clock.now() + configuration.resetLifetime)
        let isAdded = try await store.addReset(
            Array(SHA256.hash(data: token)), for: user, expiresAt: link.expiresAt, along: along)
        guard isAdded else { throw AccountsError.unknownAccount }
        return link
    }

    /// Sets a new password with a reset link's token, and ends every session.
    /// - Throws: `AccountsError.resetRefused`, the same for every token that does not work; `busy`.
    func resetPassword(_ token: String, to password: String, network: String) async throws {
        // What is not in the table costs neither a hash of a password nor a place in the write queue.
        guard let bytes = Base64URL.decode(token), bytes.count == 32 else { throw AccountsError.resetRefused }
        let digest = Array(SHA256.hash(data: bytes))
        guard try store.knowsReset(digest, at: clock.now()) else { throw AccountsError.resetRefused }
        let hash = try await hasher.hash(password, for: HashClaim(network: network, lane: .known))
        guard let (user, revoked) = try await store.reset(digest, password: hash.text, at: clock.now()) else {
            throw AccountsError.resetRefused
        }
        noteRevoked(revoked, of: user)
    }

    /// Erases the person now, by the same job that ends the grace of a deleted account.
    /// - Returns: false when so much is stored that the rest is erased in the background.
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

extension AccountsService: AccountSuspending {
    func suspend(_ user: UserID, reason: CodeWord, in work: any UnitOfWork) throws -> Bool {
        let revoked = try store.suspend(
            user, reason: reason, at: clock.now(), hiding: companion(hiding: true, user), in: work)
        guard let revoked else { return false }
        // Counts sessions in the cache, so it waits for the commit.
        work.transaction.afterCommit { [self] in noteRevoked(revoked, of: user) }
        return true
    }
}
