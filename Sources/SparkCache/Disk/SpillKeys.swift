import Crypto
import FoundationEssentials

/// What is derived from the key of a spill: a key for each segment, one for the small files beside them, and the seeds of the
/// checks over what stands in the plain. Derived by HKDF-SHA256 (RFC 5869), so none tells anything of another.
struct SpillKeys: Sendable {
    let check: SpillCheck
    private let master: SymmetricKey
    private let file: SymmetricKey

    init(_ master: SymmetricKey) {
        self.master = master
        self.file = Self.derive(master, salt: [], purpose: "spark spill file")
        let seeds = Self.derive(master, salt: [], purpose: "spark spill check").withUnsafeBytes { bytes in
            var reader = SpillBytesReader(bytes)
            return (reader.next(UInt64.self) ?? 0, reader.next(UInt64.self) ?? 0)
        }
        self.check = SpillCheck(first: seeds.0, second: seeds.1)
    }

    /// A segment's own key. Whoever overwrites the salt makes the segment unreadable.
    func segment(salt: [UInt8]) -> SymmetricKey { Self.derive(master, salt: salt, purpose: "spark spill segment") }

    /// Nonce, sealed content, tag. The name is sealed with it, so that one file cannot stand for another.
    func seal(_ content: [UInt8], as name: String) -> [UInt8]? {
        guard let box = try? AES.GCM.seal(content, using: file, authenticating: Array(name.utf8)) else { return nil }
        return box.combined.map { Array($0) }
    }

    /// Nil unless it is what `seal` made, under this key and name.
    func open(_ sealed: [UInt8], as name: String) -> [UInt8]? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
        return (try? AES.GCM.open(box, using: file, authenticating: Array(name.utf8))).map { Array($0) }
    }

    private static func derive(_ master: SymmetricKey, salt: [UInt8], purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: master, salt: salt, info: Array(purpose.utf8), outputByteCount: 32)
    }
}
