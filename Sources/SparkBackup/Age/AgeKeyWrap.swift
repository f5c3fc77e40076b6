import Crypto
import Foundation

/// Wraps the key of a file for recipients by X25519, as age does.
enum AgeKeyWrap {
    private static let type = "X25519"
    private static let label = Data("age-encryption.org/v1/X25519".utf8)
    private static let fileKeyBytes = 16

    static func makeFileKey() -> SymmetricKey { SymmetricKey(size: .bits128) }

    static func wrap(_ fileKey: SymmetricKey, for recipient: AgeRecipient) throws(AgeError) -> AgeStanza {
        let secret = Curve25519.KeyAgreement.PrivateKey()
        let share = secret.publicKey.rawRepresentation
        guard let key = wrapKey(secret, with: recipient.key, share: share, recipient: recipient.key.rawRepresentation),
            let box = try? ChaChaPoly.seal(fileKey.withUnsafeBytes { Data($0) }, using: key, nonce: zero())
        else { throw .recipient("it is a key of low order, which protects nothing") }
        return AgeStanza(type: type, arguments: [Base64.encode(share)], body: Array(box.ciphertext + box.tag))
    }

    /// The key of the file; nil if no stanza is for one of the identities. Stanzas of other types are ignored.
    /// - Throws: `AgeError.header` if a stanza of this type is malformed, or if the file is encrypted by a passphrase.
    static func unwrap(_ stanzas: [AgeStanza], with identities: [AgeIdentity]) throws(AgeError) -> SymmetricKey? {
        guard !stanzas.contains(where: { $0.type == "scrypt" }) else {
            throw .header("it is encrypted with a passphrase; decrypt it with age itself")
        }
        var found: SymmetricKey?
        for stanza in stanzas where stanza.type == type {
            guard stanza.arguments.count == 1, let share = Base64.decode(stanza.arguments[0].utf8), share.count == 32,
                let ephemeral = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share)
            else { throw .header("a recipient's public key is not readable") }
            guard stanza.body.count == fileKeyBytes + 16 else { throw .header("a recipient's key has the wrong length") }
            for identity in identities where found == nil {
                let own = identity.key.publicKey.rawRepresentation
                guard let key = wrapKey(identity.key, with: ephemeral, share: Data(share), recipient: own) else {
                    throw .header("a recipient's public key is of low order")
                }
                guard
                    let box = try? ChaChaPoly.SealedBox(
                        nonce: zero(), ciphertext: stanza.body.prefix(fileKeyBytes), tag: stanza.body.suffix(16)),
                    let opened = try? ChaChaPoly.open(box, using: key)
                else { continue }
                found = SymmetricKey(data: opened)
            }
        }
        return found
    }

    /// Nil if the shared secret is zero (RFC 7748, section 6.1).
    private static func wrapKey(
        _ secret: Curve25519.KeyAgreement.PrivateKey, with other: Curve25519.KeyAgreement.PublicKey, share: Data, recipient: Data
    ) -> SymmetricKey? {
        guard let shared = try? secret.sharedSecretFromKeyAgreement(with: other) else { return nil }
        guard shared.withUnsafeBytes({ bytes in bytes.contains { $0 != 0 } }) else { return nil }
        return shared.hkdfDerivedSymmetricKey(
            using: SHA256.self, salt: share + recipient, sharedInfo: label, outputByteCount: 32)
    }

    private static func zero() throws -> ChaChaPoly.Nonce { try ChaChaPoly.Nonce(data: [UInt8](repeating: 0, count: 12)) }
}
