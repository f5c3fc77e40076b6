import Crypto
import Foundation
import SparkCore
import Testing

@testable import SparkBackup

@Suite("Encryption in the format of age")
struct AgeTests {
    static let chunk = AgeSealer.chunkBytes

    static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    @Test("gives back what it encrypted", arguments: [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17])
    func roundTrip(_ count: Int) throws {
        let (identity, content) = (AgeIdentity.generate(), Self.bytes(count))
        let encrypted = try Age.encrypt(content, to: [identity.recipient])
        #expect(try Age.decrypt(encrypted, with: [.generate(), identity]) == content)
        let chunks = max((count + Self.chunk - 1) / Self.chunk, 1)
        #expect(encrypted.count == 168 + 16 + count + chunks * 16)
    }

    @Test("opens what age 1.1.1 encrypted to two recipients, and an empty file", arguments: zip([twoRecipients, empty], [2, 1]))
    func vectors(_ text: String, recipients: Int) throws {
        let encrypted = Array(try #require(Data(base64Encoded: text)))
        let content = recipients == 2 ? "Attack at dawn is a test vector.\n" : ""
        for secret in [AgeKeyTests.identity, Self.second].prefix(recipients) {
            #expect(try Age.decrypt(encrypted, with: [AgeIdentity(secret)]) == Array(content.utf8))
        }
        #expect(throws: AgeError.otherRecipients) { try Age.decrypt(encrypted, with: [.generate()]) }
        #expect(throws: AgeError.otherRecipients) { try Age.decrypt(encrypted, with: []) }
    }

    @Test("needs recipients, but not too many")
    func recipients() throws {
        let recipient = AgeIdentity.generate().recipient
        #expect(throws: AgeError.recipients) { try Age.encrypt([1], to: []) }
        #expect(throws: AgeError.recipients) { try Age.encrypt([1], to: Array(repeating: recipient, count: 101)) }
        let identities = (0..<100).map { _ in AgeIdentity.generate() }
        let encrypted = try Age.encrypt([1], to: identities.map(\.recipient))
        for identity in identities { #expect(try Age.decrypt(encrypted, with: [identity]) == [1]) }
    }

    @Test("refuses a recipient that is a point of low order")
    func lowOrder() throws {
        let recipient = try AgeRecipient(Bech32.encode([UInt8](repeating: 0, count: 32), prefix: "age"))
        #expect(throws: AgeError.self) { try Age.encrypt([1], to: [recipient]) }
    }

    @Test("replaces a file only when all of it was decrypted, and leaves no draft")
    func files() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-age-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (plain, sealed, opened) = (folder.appending(path: "a"), folder.appending(path: "a.age"), folder.appending(path: "b"))
        let (identity, content) = (AgeIdentity.generate(), Self.bytes(3 * Self.chunk + 5))
        try Data(content).write(to: plain)
        try Age.encrypt(plain, to: [identity.recipient], into: sealed)
        try Age.decrypt(sealed, with: [identity], into: opened)
        #expect(Array(try Data(contentsOf: opened)) == content)
        // The end is missing: found after most of it was written.
        try Data(try Data(contentsOf: sealed).dropLast(1)).write(to: sealed)
        #expect(throws: AgeError.self) { try Age.decrypt(sealed, with: [identity], into: opened) }
        #expect(Array(try Data(contentsOf: opened)) == content)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a", "a.age", "b"])
    }

    @Test("reads streams that give a few bytes at a time")
    func smallReads() throws {
        let (identity, content) = (AgeIdentity.generate(), Self.bytes(Self.chunk + 100))
        func reader(_ bytes: [UInt8]) -> (UnsafeMutableRawBufferPointer) -> Int {
            var rest = bytes[...]
            return { buffer in
                let part = rest.prefix(min(buffer.count, 777))
                buffer.copyBytes(from: part)
                rest = rest.dropFirst(part.count)
                return part.count
            }
        }
        var (encrypted, decrypted) = ([UInt8](), [UInt8]())
        try Age.encrypt(reading: reader(content), to: [identity.recipient]) { encrypted += $0 }
        try Age.decrypt(reading: reader(encrypted), with: [identity]) { decrypted += $0 }
        #expect(decrypted == content)
    }

    @Test("ignores recipients of other types, whatever they contain")
    func otherTypes() throws {
        let (identity, fileKey) = (AgeIdentity.generate(), AgeKeyWrap.makeFileKey())
        let own = try AgeKeyWrap.wrap(fileKey, for: identity.recipient)
        for length in [0, 1, 47, 48, 49, 96] {
            let other = AgeStanza(type: "grease-\(length)", arguments: ["a", "~!"], body: Self.bytes(length))
            let header = AgeHeader([other, own, other], fileKey: fileKey)
            var read = 0
            let again = try AgeHeader(header.bytes + [1, 2], length: &read)
            #expect(again.stanzas == [other, own, other] && read == header.bytes.count)
            try again.check(fileKey)
            #expect(try AgeKeyWrap.unwrap(again.stanzas, with: [identity]) == fileKey)
        }
    }

    @Test("accepts only one text of each value in Base64")
    func base64() {
        for count in 0..<50 {
            let bytes = Self.bytes(count)
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        }
        #expect(Base64.decode("AA".utf8) == [0] && Base64.decode("AAA".utf8) == [0, 0])
        for text in ["AB", "AAB", "AA==", "AA=", "A", "A A", "AA\n", "-_", "AAAA=", "é", "AAAAA"] {
            #expect(Base64.decode(text.utf8) == nil, "\(text)")
        }
    }

    @Test("says that it cannot open what a passphrase encrypts")
    func passphrase() throws {
        let stanza = AgeStanza(type: "scrypt", arguments: ["c2FsdA", "18"], body: Self.bytes(32))
        let error = #expect(throws: AgeError.self) { try AgeKeyWrap.unwrap([stanza], with: [.generate()]) }
        #expect("\(error as Any)".contains("passphrase"))
    }

    private static let second = "AGE-SECRET-KEY-1AFYMF4Q6Y6FTNVQVFCPDESJ64LN7URAZEUV0NAXUY4R8FLNJYE3QZQFFQW"
    private static let twoRecipients = """
        YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBJVGtCSFNoWldzcmZpYlZqL2FJbFJoQmxhSjZ0YkdBa1lFZmZQNTZMR1JjCnV5eFpSK1ZJUE5SaDdB\
        VkVoUjBMQzRaOHU0ZzVsUDZHRFBrZzNZKzRQYXMKLT4gWDI1NTE5IFl3Q2FUSFR1UDZtRS9Bc1J4NmZEdVBrVjRkenE3bnFnTUgxdEtiTVFMR2cKSmxUN0Zz\
        dUY0TUhWZUtJQkFvbGk5OEs1Zk44SUF5NGtGaEVpVnlxaG9LZwotLS0gSHVDSGJiZ2pZQXBQd1ZDUVZocnJDaGdDM3R3MmNNZnVxaCthZW1tY0FpVQrAk9Kx\
        pLbt+ME8H6WLdM9sSrvYbDup6p5jKiuqWswtqOzGu+JQ8aGzL1PyVjoXN5w4o5T+fHuECRuyJuoJ/I+f+w==
        """
    private static let empty = """
        YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBVeGRYQWZvdUMrLzV2RGVZYWI2U0l2NEVxdDlZNGpGZHhUVGxwVXVReGtBClgyVHo0VUFQZ3hFRE02\
        QlR3UGR1a1lsZUJLcGl6UUY0Ty9PdHJOYWIvdkkKLS0tIDZ0Znd6a0hHNHlPaHI4ekpTZVl1a25qN2szS0kvMnZIRm9KY2cxSW44MWMKClYdGvKMGHtMBsP7\
        Bp5nScKLKw8ovuw2bZoRSOuxqM8=
        """
}
