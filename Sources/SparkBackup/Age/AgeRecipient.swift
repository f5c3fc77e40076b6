import Crypto

/// A public key of age: what is encrypted to it, only its identity opens.
public struct AgeRecipient: Sendable, Hashable, CustomStringConvertible {
    private static let prefix = "age"

    /// The public key, 32 bytes.
    let key: Curve25519.KeyAgreement.PublicKey

    init(key: Curve25519.KeyAgreement.PublicKey) { self.key = key }

    /// Reads a recipient, `age1…`, as `age-keygen` prints it. Blanks around it are ignored.
    /// - Throws: `AgeError.recipient`. A recipient of a plugin (`age1name1…`) is refused.
    public init(_ text: String) throws(AgeError) {
        let (prefix, bytes): (String, [UInt8])
        do throws(Bech32.Fault) {
            (prefix, bytes) = try Bech32.decode(text.trimmed)
        } catch {
            throw .recipient(error.words)
        }
        guard prefix == Self.prefix else { throw .recipient(Self.words(prefix)) }
        guard bytes.count == 32, let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes) else {
            throw .recipient(Bech32.Fault.length.words)
        }
        self.key = key
    }

    /// Says what another prefix means. An identity in its place is a secret, so the text itself is not repeated.
    private static func words(_ prefix: String) -> String {
        prefix == AgeIdentity.prefix
            ? "it is the secret identity; the recipient is the public key that belongs to it" : "it is of another kind"
    }

    /// `age1…`.
    public var description: String { Bech32.encode(Array(key.rawRepresentation), prefix: Self.prefix) }

    /// Compares the keys.
    public static func == (left: Self, right: Self) -> Bool { left.key.rawRepresentation == right.key.rawRepresentation }

    /// Hashes the key.
    public func hash(into hasher: inout Hasher) { hasher.combine(key.rawRepresentation) }
}

extension String {
    /// Without blanks and line ends around it.
    var trimmed: String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
