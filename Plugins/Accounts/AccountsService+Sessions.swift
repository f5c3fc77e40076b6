import SparkCore
import SparkKit

extension AccountsService {
    /// The successor of a refresh token and a new access token.
    /// - Throws: `AccountsError.refreshRefused`, or `refreshReused` after the session has been revoked.
    func refresh(_ text: String, from network: String) async throws -> TokenGrant {
        // What is not in the table never costs a place in the write queue.
        guard let token = RefreshToken(text: text), try store.knowsRefreshToken(token.hash) else {
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
            return TokenGrant(
                portrait: nil, accessToken: access.text, refreshToken: successor.text,
                lifetime: configuration.accessTokenLifetime)
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

    /// Twice is as good as once.
    func logOut(_ principal: Principal) async throws {
        let now = clock.now()
        if try await store.revoke(principal.session, of: principal.user, at: now) {
            noteRevoked([principal.session], of: principal.user)
        }
    }

    /// - Throws: `EdgeError.notFound` for sessions of others and those that are no more.
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
