import SparkCache
import SparkCore
import SparkKit

/// 128 bits that identify a token in this process, so that its text is not stored.
///
/// The state of the standard library's SipHash-1-3 after two secret numbers and the token, finished in two ways. An attacker
/// knows neither the secrets nor the seed of the process, never sees a fingerprint, and learns only whether a token is accepted.
/// So each guess at a second text for a known fingerprint succeeds with a chance of about 2⁻¹²⁸: the texts must lead to the same
/// 256 bits of keyed state, or to the same two 64-bit ends. SHA-256 would also do but costs more.
struct TokenFingerprint: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    init(_ token: String, secrets: (UInt64, UInt64)) {
        var hasher = Hasher()
        hasher.combine(secrets.0)
        hasher.combine(secrets.1)
        var token = token
        token.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        high = Self.end(hasher, 0)
        low = Self.end(hasher, 1)
    }

    private static func end(_ hasher: Hasher, _ mark: UInt64) -> UInt64 {
        var hasher = hasher
        hasher.combine(mark)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

extension TokenFingerprint: CacheKeyed {
    var cacheKey: CacheKey { CacheKey(high: high, low: low) }
}

/// The principal of a verified token whose session was open when it was verified.
struct VerifiedPrincipal: Sendable {
    let principal: Principal
}

extension VerifiedPrincipal: CacheValue, CompactRecord {
    var cacheCost: Int { 48 }

    static let compact = CompactFields<VerifiedPrincipal>(
        { VerifiedPrincipal(principal: Principal(user: $0, session: $1, expiresAt: $2)) },
        \.principal.user, \.principal.session, \.principal.expiresAt)
}

extension CacheTagKind {
    static let session = CacheTagKind("accounts.session")
}

extension CacheTag {
    /// Tags entries that depend on whether a session is open.
    static func session(_ session: SessionID) -> CacheTag { CacheTag(.session, session) }
}

/// Caches the principals of verified tokens, so that the next request with a token costs a hash and a lookup. An entry is
/// stale from the commit of its session's revocation on.
struct Principals: Sendable {
    /// Lives no longer than an access token. Never spilled to disk: credentials do not leave the process.
    static func policy(tokenLifetime: Duration) -> NamespacePolicy {
        var policy = NamespacePolicy("account:session", lifetime: tokenLifetime)
        policy.isSpilled = false
        return policy
    }

    private let cache: Cache
    private let namespace: CacheNamespace<TokenFingerprint, VerifiedPrincipal>
    private let secrets: (UInt64, UInt64)

    init(tokenLifetime: Duration, random: any RandomSource, context: ModuleContext) throws {
        self.cache = context.cache
        self.namespace = try context.namespace(Self.policy(tokenLifetime: tokenLifetime))
        self.secrets = (random.next(), random.next())
    }

    func fingerprint(of token: String) -> TokenFingerprint { TokenFingerprint(token, secrets: secrets) }

    subscript(token: TokenFingerprint) -> Principal? { namespace.peek(token)?.principal }

    /// Caches the token's principal if its session is open.
    /// - Returns: whether the session is open.
    func admit(_ principal: Principal, for token: TokenFingerprint, isOpen: () async throws -> Bool) async rethrows -> Bool {
        let dependencies = cache.dependencies(on: [.session(principal.session)])
        guard try await isOpen() else { return false }
        namespace.put(token, VerifiedPrincipal(principal: principal), dependencies: dependencies)
        return true
    }
}
