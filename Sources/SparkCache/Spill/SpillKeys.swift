import Crypto
import FoundationEssentials

/// The keys derived from the key of a spill: a key for each segment, one for the small files, and the seeds of the checksums.
/// Derived by HKDF-SHA256 (RFC 5869), so none reveals another.
struct SpillKeys: Sendable {
    let checksum: SpillChecksum
    private let master: SymmetricKey
    private let file: SymmetricKey

    init(_ master: SymmetricKey) {
        self.master = master
        self.file = Self.derive(master, salt: [], purpose: "spark spill file")
        let seeds = Self.derive(master, salt: [], purpose: "spark spill check").withUnsafeBytes { bytes in
            var reader = SpillBytesReader(bytes)
            return (reader.next(UInt64.self) ?? 0, reader.next(UInt64.self) ?? 0)
        }
        self.checksum = SpillChecksum(first: seeds.0, second: seeds.1)
    }

    /// The key of a segment. Without the salt, the segment can no longer be read.
    func segment(salt: [UInt8]) -> SymmetricKey { Self.derive(master, salt: salt, purpose: "spark spill segment") }

    /// Returns nonce, ciphertext and tag. The file's name is authenticated, so that one file cannot take the place of another.
    func seal(_ content: [UInt8], as name: String) -> [UInt8]? {
        guard let box = try? AES.GCM.seal(content, using: file, authenticating: Array(name.utf8)) else { return nil }
        return box.combined.map { Array($0) }
    }

    /// Nil unless the bytes are what `seal` returned, under this key and name.
    func open(_ sealed: [UInt8], as name: String) -> [UInt8]? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
        return (try? AES.GCM.open(box, using: file, authenticating: Array(name.utf8))).map { Array($0) }
    }

    private static func derive(_ master: SymmetricKey, salt: [UInt8], purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: master, salt: salt, info: Array(purpose.utf8), outputByteCount: 32)
    }
}

/// A keyed checksum of unencrypted bytes: headers, footers, the stamp log. Folded multiplications (the mixing step of wyhash), 16
/// bytes a step. It finds damage; encryption protects against an adversary.
struct SpillChecksum: Sendable {
    fileprivate let first: UInt64
    fileprivate let second: UInt64

    func sum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = first ^ UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        let whole = bytes.count & ~15
        while offset < whole {
            let left = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let right = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            state = Self.fold(left ^ second, right ^ state)
            offset += 16
        }
        var tail: (UInt64, UInt64) = (0, 0)
        while offset < bytes.count {
            let shift = UInt64(offset & 7) &* 8
            if offset & 8 == 0 { tail.0 |= UInt64(bytes[offset]) << shift } else { tail.1 |= UInt64(bytes[offset]) << shift }
            offset += 1
        }
        state = Self.fold(tail.0 ^ second, tail.1 ^ state)
        return Self.fold(state ^ 0xA076_1D64_78BD_642F, first ^ second)
    }

    func sum(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { sum($0) } }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
