import Crypto
import SparkKit

/// The key pair by which push services know this server (RFC 8292). Made from the server's secret, so it is the same as long as that
/// is, also after a restore, and the browsers' subscriptions live on.
struct VAPIDKey: Sendable {
    let privateKey: P256.Signing.PrivateKey
    /// Uncompressed point in base64url: what the header carries and what browsers subscribe with.
    let publicText: String

    /// Nil never happens for keys of chance: each try misses the curve's order once in 2^32.
    init?(seed: SymmetricKey) {
        for attempt in UInt8.min...UInt8.max {
            let candidate = HKDF<SHA256>.deriveKey(
                inputKeyMaterial: seed, info: Array("vapid p-256".utf8) + [attempt], outputByteCount: 32)
            // Zero, and numbers from the order on, are no private keys.
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
