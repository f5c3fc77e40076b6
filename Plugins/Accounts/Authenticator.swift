import SparkCore
import SparkKit

/// Finds the principal of an access token.
///
/// The first use of a token verifies it and looks up its session in the store (one point read). Later uses cost a hash and a
/// cache lookup. A revocation invalidates the cache entry before the revocation is answered.
final class Authenticator: Authenticating {
    private let store: any AccountsStore
    private let tokens: AccessTokens
    private let principals: Principals
    private let clock: any WallClock

    init(store: any AccountsStore, tokens: AccessTokens, principals: Principals, clock: any WallClock) {
        self.store = store
        self.tokens = tokens
        self.principals = principals
        self.clock = clock
    }

    func authenticate(token: String) async throws -> Principal {
        guard token.utf8.count <= AccessTokens.longestText else { throw EdgeError.unauthenticated }
        let now = clock.now()
        let fingerprint = principals.fingerprint(of: token)
        let principal: Principal
        if let known = principals[fingerprint] {
            principal = known
        } else {
            principal = try await tokens.verify(token, at: now)
            let isOpen = try await principals.admit(principal, for: fingerprint) {
                try await store.isOpen(principal.session, of: principal.user)
            }
            guard isOpen else { throw EdgeError.unauthenticated }
        }
        guard tokens.isValid(until: principal.expiresAt, at: now) else { throw EdgeError.unauthenticated }
        return principal
    }
}
