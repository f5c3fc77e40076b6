import Crypto
import SparkKit

/// An opaque refresh token: 256 bits, known in full only to the client.
struct RefreshToken: Hashable, Sendable {
    let bytes: [UInt8]

    fileprivate init(bytes: [UInt8]) { self.bytes = bytes }

    /// Nil for texts that are none.
    init?(text: String) {
        guard let bytes = Base64URL.decode(text), bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    var text: String { Base64URL.encode(bytes) }

    /// What is stored in its place. A plain hash is enough for 256 bits of chance.
    var hash: [UInt8] { Array(SHA256.hash(data: bytes)) }
}

/// Makes refresh tokens. The first of a session is chance; each further one follows from the one before by a keyed hash, so
/// that the successor can be told again to a client that lost the answer, although the server keeps only hashes.
struct RefreshTokenChain: Sendable {
    let key: SymmetricKey
    let secrets: SecretSource

    func first() -> RefreshToken { RefreshToken(bytes: secrets.bytes(32)) }

    func successor(of token: RefreshToken) -> RefreshToken {
        RefreshToken(bytes: Array(HMAC<SHA256>.authenticationCode(for: token.bytes, using: key)))
    }
}
