import Crypto
import SparkKit

/// The key pair that identifies this server to push services (RFC 8292). It is derived from the server's secret, so it survives a
/// restore, and the browsers' subscriptions stay valid.
struct VAPIDKey: Sendable {
    let privateKey: P256.Signing.PrivateKey
    /// The uncompressed point in base64url: sent in the header, and used by browsers to subscribe.
    let publicText: String

    /// Practically never nil: each attempt fails with a probability of about 2^-32.
    init?(seed: SymmetricKey) {
        for attempt in UInt8.min...UInt8.max {
            let candidate = HKDF<SHA256>.deriveKey(
                inputKeyMaterial: seed, info: Array("vapid p-256".utf8) + [attempt], outputByteCount: 32)
            // Zero and numbers not below the curve's order are not private keys.
            guard let key = candidate.withUnsafeBytes({ try? P256.Signing.PrivateKey(rawRepresentation: Array($0)) }) else {
                continue
            }
            self.privateKey = key
            self.publicText = Base64URL.encode(Array(key.publicKey.x963Representation))
            return
        }
        return nil
    }
}
