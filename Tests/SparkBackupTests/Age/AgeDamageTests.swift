import Foundation
import SparkBackup
import Testing

@Suite("Damage to what is encrypted in the format of age")
struct AgeDamageTests {
    private static let sealedChunk = AgeSealer.chunkBytes + 16
    private let identity = AgeIdentity.generate()
    private let encrypted: [UInt8]
    /// Of the header with what follows it until the first chunk.
    private let start: Int

    init() throws {
        let content = AgeTests.bytes(2 * AgeSealer.chunkBytes + 100)
        encrypted = try Age.encrypt(content, to: [identity.recipient, AgeIdentity.generate().recipient])
        start = encrypted.count - 2 * Self.sealedChunk - 116
    }

    private func expectRefusal(_ bytes: [UInt8], _ what: String) {
        #expect(throws: AgeError.self, "\(what)") { try Age.decrypt(bytes, with: [identity]) }
    }

    @Test("is found in every byte of the header")
    func header() throws {
        // Less to decrypt makes the many attempts cheap; the header is as long.
        let small = try Age.encrypt([1, 2, 3], to: [identity.recipient, AgeIdentity.generate().recipient])
        #expect(try Age.decrypt(small, with: [identity]) == [1, 2, 3])
        for index in small.indices {
            // One letter to the next, lower case to upper case, and out of ASCII.
            for bit in [0x01, 0x20, 0x80] as [UInt8] {
                var changed = small
                changed[index] ^= bit
                expectRefusal(changed, "bit \(bit) of byte \(index)")
            }
        }
        for length in small.indices { expectRefusal(Array(small[..<length]), "cut off after \(length)") }
    }

    @Test("is found in every chunk, at its beginning, in its middle and in its code")
    func chunks() throws {
        #expect(try Age.decrypt(encrypted, with: [identity]).count == 2 * AgeSealer.chunkBytes + 100)
        for chunk in 0..<3 {
            let first = start + chunk * Self.sealedChunk
            let last = min(first + Self.sealedChunk, encrypted.count) - 1
            for index in [first, (first + last) / 2, last - 16, last - 15, last] {
                var changed = encrypted
                changed[index] ^= 1
                expectRefusal(changed, "byte \(index)")
            }
        }
    }

    @Test("is found when the end is missing, also exactly between chunks")
    func truncation() {
        for chunk in 0...2 {
            for offset in [-17, -16, -1, 0, 1, 16, 17] {
                let end = start + chunk * Self.sealedChunk + offset
                expectRefusal(Array(encrypted[..<end]), "cut off after \(end)")
            }
        }
        expectRefusal(Array(encrypted.dropLast()), "cut off before the last byte")
    }

    @Test("is found when something follows the end")
    func continuation() throws {
        for count in [1, 15, 16, 17, 65_436, 65_552, 100_000] {
            expectRefusal(encrypted + AgeTests.bytes(count), "\(count) bytes more")
        }
        expectRefusal(encrypted + encrypted, "twice")
        // A full last chunk, too.
        let full = try Age.encrypt(AgeTests.bytes(AgeSealer.chunkBytes), to: [identity.recipient])
        for count in [1, 16, 17] { expectRefusal(full + AgeTests.bytes(count), "\(count) bytes more") }
    }

    @Test("is found when an empty chunk follows others, which age never writes")
    func emptyEnd() throws {
        let content = AgeTests.bytes(AgeSealer.chunkBytes)
        var sealer = try AgeSealer(to: [identity.recipient])
        var bytes = sealer.header
        bytes += try content.withUnsafeBytes { try sealer.seal($0, isLast: false) }
        let rest = bytes
        bytes += try sealer.seal(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
        expectRefusal(bytes, "an empty end")
        // With one byte in the last chunk it is whole.
        sealer = try AgeSealer(to: [identity.recipient])
        bytes = sealer.header
        bytes += try content.withUnsafeBytes { try sealer.seal($0, isLast: false) }
        bytes += try [7].withUnsafeBytes { try sealer.seal(UnsafeRawBufferPointer(rebasing: $0[..<1]), isLast: true) }
        #expect(try Age.decrypt(bytes, with: [identity]) == content + [7])
        expectRefusal(rest, "without an end")
    }

    @Test("is found when chunks are exchanged, repeated or left out")
    func order() {
        let head = Array(encrypted[..<start])
        let first = Array(encrypted[start..<(start + Self.sealedChunk)])
        let second = Array(encrypted[(start + Self.sealedChunk)..<(start + 2 * Self.sealedChunk)])
        let last = Array(encrypted[(start + 2 * Self.sealedChunk)...])
        for (chunks, what) in [
            (second + first + last, "exchanged"), (first + first + second + last, "repeated"), (first + last, "left out"),
            (last, "only the last"), (first, "only the first"), ([], "none"), (first + second + last + last, "last twice"),
        ] {
            expectRefusal(head + chunks, what)
        }
    }

    @Test("is found when the header is another's with the same key")
    func otherHeader() throws {
        let other = try Age.encrypt([1], to: [identity.recipient])
        expectRefusal(Array(other.dropLast(17)) + encrypted[start...], "another header")
    }

    @Test(
        "of a text that is no such file is found",
        arguments: [
            "", "\n", "age-encryption.org/v1", "age-encryption.org/v1\n", "age-encryption.org/v2\n", "age-encryption.org/v1\r\n",
            "age-encryption.org/v1\n---", "age-encryption.org/v1\n--- \n", "age-encryption.org/v1\n-> X25519\n",
            "age-encryption.org/v1\n->  X25519 a\n\n--- AAAA\n", "age-encryption.org/v1\n-> X25519 a \n\n--- AAAA\n",
            "age-encryption.org/v1\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "-----BEGIN AGE ENCRYPTED FILE-----\n",
        ])
    func texts(_ text: String) { expectRefusal(Array(text.utf8), text) }

    @Test("of a header without an end is found with bounded memory")
    func endless() throws {
        var served = 0
        #expect(throws: AgeError.self) {
            try Age.decrypt(
                reading: { buffer in
                    let line = served == 0 ? Array("age-encryption.org/v1\n".utf8) : Array("-> a b\n\n".utf8)
                    buffer.copyBytes(from: line.prefix(buffer.count))
                    served += 1
                    return min(line.count, buffer.count)
                }, with: [identity], writing: { _ in })
        }
        #expect(served < 20_000)
    }
}
