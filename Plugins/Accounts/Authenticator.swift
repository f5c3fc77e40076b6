import SparkCore
import SparkKit

/// Answers who stands behind an access token.
///
/// A token seen for the first time is verified and its session looked up in the store (one point read); after that it costs
/// a hash and two lookups in memory. In both cases the sessions revoked meanwhile are asked last, so a revocation holds from
/// the next request on.
final class Authenticator: Authenticating {
    private let store: any AccountsStore
    private let tokens: AccessTokens
    private let revoked: RevokedSessions
    private let clock: any WallClock
    private let cache: PrincipalCache

    init(
        store: any AccountsStore, tokens: AccessTokens, revoked: RevokedSessions, cache: PrincipalCache, clock: any WallClock
    ) {
        self.store = store
        self.tokens = tokens
        self.revoked = revoked
        self.cache = cache
        self.clock = clock
    }

    func authenticate(token: String) async throws -> Principal {
        guard token.utf8.count <= AccessTokens.longestText else { throw EdgeError.unauthenticated }
        let now = clock.now()
        let fingerprint = cache.fingerprint(of: token)
        let principal: Principal
        if let known = cache[fingerprint] {
            principal = known
        } else {
            principal = try await tokens.verify(token, at: now)
            guard try store.isOpen(principal.session, of: principal.user) else { throw EdgeError.unauthenticated }
            cache.insert(principal, for: fingerprint)
        }
        guard principal.expiresAt > now, !revoked.contains(principal.session) else { throw EdgeError.unauthenticated }
        return principal
    }
}
