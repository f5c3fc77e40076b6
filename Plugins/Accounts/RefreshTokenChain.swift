import Crypto
import SparkKit

/// An opaque refresh token: 256 bits. Only the client has it in full.
struct RefreshToken: Hashable, Sendable {
    let bytes: [UInt8]

    fileprivate init(bytes: [UInt8]) { self.bytes = bytes }

    /// Nil for a text that is not a refresh token.
    init?(text: String) {
        guard let bytes = Base64URL.decode(text), bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    var text: String { Base64URL.encode(bytes) }

    /// The stored form. A plain hash is enough for 256 random bits.
    var hash: [UInt8] { Array(SHA256.hash(data: bytes)) }
}

/// Makes refresh tokens. A session's first token is random; each successor is a keyed hash of the token before it, so that
/// the server can repeat it to a client that lost the answer, although it stores only hashes.
struct RefreshTokenChain: Sendable {
    let key: SymmetricKey
    let secrets: SecretSource

    func first() -> RefreshToken { RefreshToken(bytes: secrets.bytes(32)) }

    func successor(of token: RefreshToken) -> RefreshToken {
        RefreshToken(bytes: Array(HMAC<SHA256>.authenticationCode(for: token.bytes, using: key)))
    }
}
