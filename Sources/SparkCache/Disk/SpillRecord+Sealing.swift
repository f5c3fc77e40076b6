import Crypto
import FoundationEssentials
import Glibc

extension SpillRecord {
    /// Writes the whole record, `length` bytes, to where there is room for it.
    /// - Returns: false if the cipher refused, which it has no reason to.
    func seal(
        _ payload: UnsafeRawBufferPointer, under key: SymmetricKey, check: SpillCheck, to bytes: UnsafeMutableRawPointer
    ) -> Bool {
        write(to: bytes, check: check)
        let header = UnsafeRawBufferPointer(start: bytes, count: headerBytes)
        guard let nonce = try? AES.GCM.Nonce(data: UnsafeRawBufferPointer(rebasing: header.suffix(Self.nonceBytes))),
            let box = try? AES.GCM.seal(payload, using: key, nonce: nonce, authenticating: header),
            let combined = box.combined, combined.count == Self.nonceBytes + payload.count + Self.tagBytes
        else { return false }
        let start = headerBytes - Self.nonceBytes
        combined.copyBytes(to: UnsafeMutableRawBufferPointer(start: bytes + start, count: combined.count))
        let end = start + combined.count
        memset(bytes + end, 0, length - end)
        return true
    }

    /// Opens the payload of the record that the bytes begin with. Nil unless every bit of header and payload is as it was sealed.
    func open(_ bytes: UnsafeMutableRawBufferPointer, under key: SymmetricKey) -> Data? {
        let start = headerBytes - Self.nonceBytes
        let count = Self.nonceBytes + payloadBytes + Self.tagBytes
        guard bytes.count >= start + count, let base = bytes.baseAddress else { return nil }
        let header = UnsafeRawBufferPointer(start: base, count: headerBytes)
        let combined = Data(bytesNoCopy: base + start, count: count, deallocator: .none)
        guard let box = try? AES.GCM.SealedBox(combined: combined) else { return nil }
        return try? AES.GCM.open(box, using: key, authenticating: header)
    }
}
