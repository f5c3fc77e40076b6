import Crypto
import SparkCore

/// Fingerprints of the networks that signed in to an account. A fingerprint is a keyed hash over network and account: the
/// database does not reveal networks, and two accounts' fingerprints cannot be compared.
struct KnownNetworks: Sendable {
    /// Networks remembered per account; the least recently seen one is dropped.
    static let perAccount = 16
    private static let length = 16

    let key: SymmetricKey

    func fingerprint(of network: String, at user: UserID) -> [UInt8] {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(user.wire) \(network)".utf8), using: key)
        return Array(code.prefix(Self.length))
    }
}
