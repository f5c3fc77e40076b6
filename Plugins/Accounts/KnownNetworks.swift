import Crypto
import SparkCore

/// Stands for a network that signed in to an account, without telling which: a keyed hash over both, so that neither the database nor
/// two accounts beside each other show where somebody was.
struct KnownNetworks: Sendable {
    /// Networks that are remembered of one account; the one seen longest ago gives way.
    static let perAccount = 16
    private static let length = 16

    let key: SymmetricKey

    func fingerprint(of network: String, at user: UserID) -> [UInt8] {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(user.wire) \(network)".utf8), using: key)
        return Array(code.prefix(Self.length))
    }
}
