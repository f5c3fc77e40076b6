public import Crypto

/// The server's secret, from which every key is derived for its purpose (HKDF-SHA256, RFC 5869). Nothing is ever signed or
/// sealed with the secret itself.
public struct ServerKeys: Sendable {
    private let secret: SymmetricKey

    /// - Parameter secret: 32 bytes of chance, kept in the data directory.
    public init(secret: SymmetricKey) { self.secret = secret }

    /// A 256-bit key for one purpose; the same in every process with the same secret.
    public func key(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: Array("spark/\(purpose)".utf8), outputByteCount: 32)
    }
}
