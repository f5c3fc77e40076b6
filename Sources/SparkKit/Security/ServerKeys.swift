public import Crypto

/// The server's secret. Each purpose gets its own derived key (HKDF-SHA256, RFC 5869); the secret itself never signs or
/// encrypts.
public struct ServerKeys: Sendable {
    private let secret: SymmetricKey

    /// - Parameter secret: 32 random bytes, stored in the data directory.
    public init(secret: SymmetricKey) { self.secret = secret }

    /// A 256-bit key for one purpose. It is the same in every process with the same secret.
    public func key(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: Array("spark/\(purpose)".utf8), outputByteCount: 32)
    }
}
