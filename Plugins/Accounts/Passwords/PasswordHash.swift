import Crypto
import CryptoExtras
import Foundation
import SparkKit

/// The cost of one scrypt derivation (RFC 7914): memory is 128 · r · 2^ln bytes, time grows with r · p · 2^ln.
struct PasswordParameters: Hashable, Sendable {
    /// log2 of N.
    let ln: Int
    let r: Int
    let p: Int

    /// 128 MiB and about a quarter of a second.
    static let standard = PasswordParameters(ln: 17, r: 8, p: 1)
    /// Offers no protection; for servers whose data is discarded with them.
    static let ephemeral = PasswordParameters(ln: 4, r: 8, p: 1)

    var cost: Int { r * p * (1 << ln) }
    /// The memory of one derivation, in bytes.
    var memory: Int { 128 * r * (1 << ln) }
}

/// A stored password: `$scrypt$ln=17,r=8,p=1$salt$hash`, salt and hash in base64url.
///
/// Contains its parameters, so they can be raised while older hashes stay valid.
struct PasswordHash: Hashable, Sendable {
    static let saltLength = 16
    private static let keyLength = 32

    let parameters: PasswordParameters
    let salt: [UInt8]
    let key: [UInt8]

    /// Derives the hash. Costs a full derivation on the calling thread.
    /// - Throws: `AccountsError.credentialsRefused` for an empty password, `AdmissionRefused` without memory.
    init(of password: String, salt: [UInt8], parameters: PasswordParameters) throws {
        self.parameters = parameters
        self.salt = salt
        self.key = try Self.derive(password, salt: salt, parameters: parameters)
    }

    /// Whether this is the hash of the password. Costs a full derivation on the calling thread.
    func matches(_ password: String) throws -> Bool {
        isEqualInConstantTime(try Self.derive(password, salt: salt, parameters: parameters), key)
    }

    private static func derive(_ password: String, salt: [UInt8], parameters: PasswordParameters) throws -> [UInt8] {
        // NFC (RFC 8265): the same password typed on another system must give the same bytes.
        let bytes = Array(password.precomposedStringWithCanonicalMapping.utf8)
        // The library cannot take an empty buffer. No account has an empty password.
        guard !bytes.isEmpty else { throw AccountsError.credentialsRefused }
        let key: SymmetricKey
        do {
            key = try KDF.Scrypt.deriveKey(
                from: bytes, salt: salt, outputByteCount: keyLength, rounds: 1 << parameters.ln, blockSize: parameters.r,
                parallelism: parameters.p)
        } catch {
            // The parameters are valid, so the allocation of memory failed.
            throw AdmissionRefused(resource: .hashing, scope: .total)
        }
        return key.withUnsafeBytes { Array($0) }
    }
}

extension PasswordHash {
    var text: String {
        "$scrypt$ln=\(parameters.ln),r=\(parameters.r),p=\(parameters.p)$\(Base64URL.encode(salt))$\(Base64URL.encode(key))"
    }

    /// Nil for texts that `text` does not produce, and for parameters too costly for a server.
    init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let salt = Base64URL.decode(String(parts[3])),
            let key = Base64URL.decode(String(parts[4])), salt.count == Self.saltLength, key.count == Self.keyLength
        else { return nil }
        let numbers = parts[2].split(separator: ",", omittingEmptySubsequences: false)
        guard numbers.count == 3, let ln = Self.number(numbers[0], "ln=", 1...20),
            let r = Self.number(numbers[1], "r=", 1...16), let p = Self.number(numbers[2], "p=", 1...4)
        else { return nil }
        self.parameters = PasswordParameters(ln: ln, r: r, p: p)
        self.salt = salt
        self.key = key
    }

    private static func number(_ text: Substring, _ prefix: String, _ range: ClosedRange<Int>) -> Int? {
        guard text.hasPrefix(prefix), let value = Int(text.dropFirst(prefix.count)), range.contains(value) else { return nil }
        return value
    }
}
