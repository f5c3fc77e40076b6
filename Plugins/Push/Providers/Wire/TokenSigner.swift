import Crypto
import JWTKit

/// Signs JSON Web Tokens (RFC 7519) with one private key.
struct TokenSigner: Sendable {
    private let keys = JWTKeyCollection()
    private let kid: JWKIdentifier?

    /// ES256.
    init(_ key: P256.Signing.PrivateKey, kid: String? = nil) async throws {
        self.kid = kid.map { JWKIdentifier(string: $0) }
        await keys.add(ecdsa: try ES256PrivateKey(backing: key), kid: self.kid)
    }

    /// RS256, which Google requires.
    init(rsaPEM: String, kid: String?) async throws {
        self.kid = kid.map { JWKIdentifier(string: $0) }
        await keys.add(rsa: try Insecure.RSA.PrivateKey(pem: rsaPEM), digestAlgorithm: .sha256, kid: self.kid)
    }

    func sign(_ claims: some JWTPayload) async throws -> String { try await keys.sign(claims, kid: kid) }
}
