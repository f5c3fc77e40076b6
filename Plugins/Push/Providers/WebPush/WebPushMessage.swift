import Crypto
import Foundation

/// Message encryption for Web Push (RFC 8291, with the coding `aes128gcm` of RFC 8188): only the browser can read the message,
/// not the push service.
struct WebPushMessage: Sendable {
    static let secretLength = 16
    /// The size that every push service must accept, in bytes (RFC 8030, section 7.2): header, text, delimiter and tag together.
    private static let longestRecord = 4_096
    /// salt (16), record size (4), length of the key (1), key (65).
    private static let headerLength = 86
    /// The plain text of one record, without delimiter and tag.
    static let longestText = longestRecord - headerLength - 16 - 1

    /// Header and one record.
    let body: [UInt8]

    /// - Parameters:
    ///   - text: at most `paddedLength` bytes.
    ///   - paddedLength: the visible length; zeros pad the text.
    ///   - publicKey: the browser's public key, 65 bytes; `secret`: its authentication secret, 16 bytes.
    ///   - sender: a key pair used only for this message; `salt`: 16 bytes used only for this message.
    /// - Throws: when the browser's key is not a point of the curve, or a length is wrong.
    init(
        _ text: [UInt8], paddedTo paddedLength: Int, publicKey: [UInt8], secret: [UInt8],
        sender: P256.KeyAgreement.PrivateKey = P256.KeyAgreement.PrivateKey(), salt: [UInt8] = Self.randomSalt()
    ) throws {
        guard text.count <= paddedLength, paddedLength <= Self.longestText, secret.count == Self.secretLength, salt.count == 16
        else { throw CryptoKitError.incorrectParameterSize }
        let receiver = try P256.KeyAgreement.PublicKey(x963Representation: publicKey)
        let senderPublic = Array(sender.publicKey.x963Representation)
        let input = try Self.keyingMaterial(sender, receiver, publicKey, senderPublic, secret)
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: input, salt: salt, info: Array("Content-Encoding: aes128gcm\0".utf8), outputByteCount: 16)
        let nonce = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: input, salt: salt, info: Array("Content-Encoding: nonce\0".utf8), outputByteCount: 12)
        // 2 marks the last record; the zeros after it are padding (RFC 8188, section 2).
        let plain = text + [2] + [UInt8](repeating: 0, count: paddedLength - text.count)
        let sealed = try AES.GCM.seal(
            plain, using: key, nonce: AES.GCM.Nonce(data: nonce.withUnsafeBytes { Array($0) }))
        let size = withUnsafeBytes(of: UInt32(Self.longestRecord).bigEndian) { Array($0) }
        self.body = salt + size + [UInt8(senderPublic.count)] + senderPublic + Array(sealed.ciphertext) + Array(sealed.tag)
    }

    /// RFC 8291, sections 3.3 and 3.4: the shared secret of both key pairs, bound to both keys and the authentication secret.
    private static func keyingMaterial(
        _ sender: P256.KeyAgreement.PrivateKey, _ receiver: P256.KeyAgreement.PublicKey, _ receiverPublic: [UInt8],
        _ senderPublic: [UInt8], _ secret: [UInt8]
    ) throws -> SymmetricKey {
        let shared = try sender.sharedSecretFromKeyAgreement(with: receiver)
        let info = Array("WebPush: info\0".utf8) + receiverPublic + senderPublic
        return shared.hkdfDerivedSymmetricKey(using: SHA256.self, salt: secret, sharedInfo: info, outputByteCount: 32)
    }

    /// Always from the system's generator, even if the server has a seeded one: a salt must never repeat.
    private static func randomSalt() -> [UInt8] { SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) } }
}
