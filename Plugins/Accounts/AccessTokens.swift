import Crypto
import JWTKit
import SparkCore
import SparkKit
import Synchronization

/// The claims of an access token (RFC 7519); times in whole seconds.
private struct AccessClaims: JWTPayload {
    static let issuer = "spark"

    let sub: String
    let sid: String
    let iat: Int64
    let exp: Int64
    let iss: String

    /// Nothing here: times are checked against the server's clock, which JWTKit does not know.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// Signs and verifies access tokens: JWTs with HS256 and nothing else.
final class AccessTokens: Sendable {
    /// Longer texts are refused unread, in bytes.
    static let longestText = 2_048

    /// By so much the clock may be put back without the tokens being refused that were signed before.
    private static let clockTolerance = Duration.minutes(5)

    let lifetime: Duration
    private let key: SymmetricKey
    private let keys = JWTKeyCollection()
    private let hasKey = Atomic(false)

    init(key: SymmetricKey, lifetime: Duration) {
        self.key = key
        self.lifetime = lifetime
    }

    func sign(_ user: UserID, _ session: SessionID, at now: Timestamp) async throws -> (text: String, expiresAt: Timestamp) {
        let issued = now.milliseconds / 1_000
        let expires = issued + lifetime.components.seconds
        let claims = AccessClaims(sub: user.wire, sid: session.wire, iat: issued, exp: expires, iss: AccessClaims.issuer)
        return (try await signer().sign(claims), Timestamp(milliseconds: expires * 1_000))
    }

    /// Whom a token names. Says nothing about whether the session still is.
    /// - Throws: `EdgeError.unauthenticated` for everything that `sign` did not make and for what has ended.
    func verify(_ text: String, at now: Timestamp) async throws -> Principal {
        guard text.utf8.count <= Self.longestText, isSigned(text), Self.hasPinnedHeader(text),
            let claims = try? await signer().verify(text, as: AccessClaims.self), claims.iss == AccessClaims.issuer,
            let user = UserID(wire: claims.sub), let session = SessionID(wire: claims.sid),
            case let (milliseconds, overflow) = claims.exp.multipliedReportingOverflow(by: 1_000), !overflow
        else { throw EdgeError.unauthenticated }
        let expiresAt = Timestamp(milliseconds: milliseconds)
        guard isValid(until: expiresAt, at: now) else { throw EdgeError.unauthenticated }
        return Principal(user: user, session: session, expiresAt: expiresAt)
    }

    /// Whether the signature (RFC 7515, 5.2) was made with this key: the one check that a stranger's token costs.
    private func isSigned(_ text: String) -> Bool {
        guard let dot = text.lastIndex(of: "."), let signature = Base64URL.decode(String(text[text.index(after: dot)...])) else {
            return false
        }
        return HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Array(text[..<dot].utf8), using: key)
    }

    /// Whether a token that ends then holds now. One that lasts longer than any was signed under a clock that was put back since.
    func isValid(until expiresAt: Timestamp, at now: Timestamp) -> Bool {
        expiresAt > now && expiresAt <= now + lifetime + Self.clockTolerance
    }

    /// The header is the attacker's until the signature is checked, so it may choose nothing: one algorithm (RFC 8725, 3.1),
    /// no key and no extension.
    private static func hasPinnedHeader(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Base64URL.decode(String($0)) }
        // Strictly decoded, so that a token has one text only: JWTKit forgives padding and spare bits.
        guard parts.count == 3, parts.allSatisfy({ $0 != nil }), let bytes = parts[0], let header = try? JSONParser.parse(bytes)
        else { return false }
        return header["alg"]?.string == "HS256" && header["kid"] == nil && header["crit"] == nil
    }

    /// The collection is an actor, so the key goes in at the first use instead of in the initialiser.
    private func signer() async -> JWTKeyCollection {
        if !hasKey.load(ordering: .acquiring) {
            await keys.add(hmac: HMACKey(key: key), digestAlgorithm: .sha256)
            hasKey.store(true, ordering: .releasing)
        }
        return keys
    }
}
