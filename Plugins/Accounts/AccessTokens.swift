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

    /// Empty: `AccessTokens` checks the times against the server's clock, which JWTKit does not know.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// Signs and verifies access tokens: JWTs, HS256 only.
final class AccessTokens: Sendable {
    /// Longer texts are refused without parsing, in bytes.
    static let longestText = 2_048

    /// How far the clock may be set back before tokens signed earlier are refused.
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

    /// The principal that a token names. Does not check whether the session is still open.
    /// - Throws: `EdgeError.unauthenticated` for a token that `sign` did not make or that has expired.
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

    /// Whether the signature (RFC 7515, 5.2) was made with this key. A forged token costs only this check.
    private func isSigned(_ text: String) -> Bool {
        guard let dot = text.lastIndex(of: "."), let signature = Base64URL.decode(String(text[text.index(after: dot)...])) else {
            return false
        }
        return HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Array(text[..<dot].utf8), using: key)
    }

    /// Whether a token that expires then is valid now. A longer lifetime than possible means that the clock was set back since.
    func isValid(until expiresAt: Timestamp, at now: Timestamp) -> Bool {
        expiresAt > now && expiresAt <= now + lifetime + Self.clockTolerance
    }

    /// The header is untrusted until the signature is checked, so it has no choice: one algorithm (RFC 8725, 3.1), no key
    /// identifier, no extension.
    private static func hasPinnedHeader(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Base64URL.decode(String($0)) }
        // Strict decoding gives each token exactly one text: JWTKit accepts padding and spare bits.
        guard parts.count == 3, parts.allSatisfy({ $0 != nil }), let bytes = parts[0], let header = try? JSONParser.parse(bytes)
        else { return false }
        return header["alg"]?.string == "HS256" && header["kid"] == nil && header["crit"] == nil
    }

    /// The key collection is an actor, so the key is added at first use and not in the initializer.
    private func signer() async -> JWTKeyCollection {
        if !hasKey.load(ordering: .acquiring) {
            await keys.add(hmac: HMACKey(key: key), digestAlgorithm: .sha256)
            hasKey.store(true, ordering: .releasing)
        }
        return keys
    }
}
