import Crypto
public import Foundation

/// Encrypts one stream: first comes `header`, then each chunk as `seal` returns it.
public struct AgeSealer {
    /// The length of every chunk but the last, in bytes.
    public static let chunkBytes = 65_536
    /// The most recipients that one file may have.
    public static let mostRecipients = 100

    /// What comes before the first chunk.
    public let header: [UInt8]
    private let key: SymmetricKey
    private var nonce = AgeNonce()

    /// - Throws: `AgeError.recipients`, or `.recipient` for a key that protects nothing.
    public init(to recipients: [AgeRecipient]) throws(AgeError) {
        guard (1...Self.mostRecipients).contains(recipients.count) else { throw .recipients }
        let fileKey = AgeKeyWrap.makeFileKey()
        var stanzas: [AgeStanza] = []
        for recipient in recipients { stanzas.append(try AgeKeyWrap.wrap(fileKey, for: recipient)) }
        let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
        self.header = AgeHeader(stanzas, fileKey: fileKey).bytes + salt
        self.key = AgeNonce.payloadKey(fileKey, salt: salt)
    }

    /// Encrypts the next chunk; the result is 16 bytes longer.
    /// - Parameter isLast: true for exactly one chunk, the last. Every other one has `chunkBytes` bytes; the last has at least one,
    ///   unless it is the only one.
    /// - Throws: `CryptoKitError`, which no input causes.
    public mutating func seal(_ chunk: UnsafeRawBufferPointer, isLast: Bool) throws -> Data {
        precondition(chunk.count == Self.chunkBytes || isLast && chunk.count < Self.chunkBytes, "a chunk has the wrong length")
        return try ChaChaPoly.seal(chunk, using: key, nonce: nonce.next(isLast: isLast)).combined.dropFirst(12)
    }
}

/// Decrypts one stream.
struct AgeOpener {
    /// The length of every encrypted chunk but the last, in bytes.
    static let chunkBytes = AgeSealer.chunkBytes + 16

    private let key: SymmetricKey
    private var nonce = AgeNonce()

    /// - Parameter length: receives how many of the bytes come before the first chunk.
    init(_ start: some Collection<UInt8>, with identities: [AgeIdentity], length: inout Int) throws(AgeError) {
        var headerLength = 0
        let header = try AgeHeader(start, length: &headerLength)
        guard let fileKey = try AgeKeyWrap.unwrap(header.stanzas, with: identities) else { throw .otherRecipients }
        try header.check(fileKey)
        let salt = Array(start.dropFirst(headerLength).prefix(16))
        guard salt.count == 16 else { throw .damaged("they are cut off after the header") }
        self.key = AgeNonce.payloadKey(fileKey, salt: salt)
        length = headerLength + 16
    }

    /// Decrypts the next chunk.
    /// - Parameter isLast: whether nothing follows it.
    mutating func open(_ chunk: UnsafeRawBufferPointer, isLast: Bool) throws(AgeError) -> Data {
        let isFirst = nonce.isFirst
        // A chunk that follows others has content, or it would not exist.
        guard chunk.count >= (isFirst ? 16 : 17) else { throw .damaged("they are cut off") }
        guard let nonce = try? nonce.next(isLast: isLast),
            let box = try? ChaChaPoly.SealedBox(nonce: nonce, ciphertext: chunk.dropLast(16), tag: chunk.suffix(16)),
            let opened = try? ChaChaPoly.open(box, using: key)
        else { throw .damaged(isLast ? "the last part was altered or cut off" : "a part was altered, or the end is not the end") }
        return opened
    }
}

/// The nonces of the chunks: eleven bytes of a counter, and 1 for the last chunk (STREAM by Hoang, Reyhanitabar, Rogaway, Vizár).
private struct AgeNonce {
    private var count: UInt64 = 0
    var isFirst: Bool { count == 0 }

    mutating func next(isLast: Bool) throws -> ChaChaPoly.Nonce {
        var bytes: [UInt8] = [0, 0, 0]
        withUnsafeBytes(of: count.bigEndian) { bytes += $0 }
        bytes.append(isLast ? 1 : 0)
        count += 1
        return try ChaChaPoly.Nonce(data: bytes)
    }

    static func payloadKey(_ fileKey: SymmetricKey, salt: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: fileKey, salt: salt, info: Data("payload".utf8), outputByteCount: 32)
    }
}
