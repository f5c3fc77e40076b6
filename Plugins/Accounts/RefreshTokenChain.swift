import Crypto
import SparkCore
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

/// Randomness for tokens and salts: the system's generator, or a seeded source in a test server.
struct SecretSource: Sendable {
    let random: any RandomSource

    func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count {
            withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }
}

/// Whether two byte strings are equal. The time does not depend on where they differ.
func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for (a, b) in zip(left, right) { difference |= a ^ b }
    return difference == 0
}
