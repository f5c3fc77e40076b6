import Crypto
import FoundationEssentials
import Glibc

/// The header of a record, which is not encrypted, before the encrypted payload.
///
/// ```
///  0 magic         4      24 key, low     8      50 flags        1
///  4 payload bytes 4      32 hash         8      51 stamps       1
///  8 value bytes   4      40 expires at   8      52 stamps × 8
/// 12 namespace     4      48 dictionary   2      .. sequence     8
/// 16 key, high     8                             .. checksum        4
/// ```
/// Then the payload, 16 bytes of tag, and zeros up to the next multiple of 16. The last twelve bytes of the header are the nonce: a
/// sequence number is used once, and each segment has a key of its own. Nonce, payload and tag are contiguous, as AES-GCM takes them.
/// The whole header is its additional data. With the checksum, a scan can trust a header without decrypting the payload.
struct SpillRecord {
    private static let magic: UInt32 = 0x4352_5053  // "SPRC"
    private static let fixedBytes = 64
    private static let stampBytes = 8
    private static let nonceBytes = 12
    static let tagBytes = 16
    static let alignment = 16

    struct Flags: OptionSet {
        let rawValue: UInt8
        static let compressed = Flags(rawValue: 1)
        /// Overwritten: only the lengths, the sequence number and the checksum are valid.
        static let erased = Flags(rawValue: 2)
    }

    var key: EntryKey
    var hash: UInt64
    var expiresAt: Int64
    var stamps: [Stamp]
    var payloadBytes: Int
    var valueBytes: Int
    var dictionary: UInt16
    var flags: Flags
    var sequence: UInt64

    var headerBytes: Int { Self.headerBytes(stamps: stamps.count) }
    /// The whole record in bytes, padding included.
    var length: Int { Self.length(stamps: stamps.count, payload: payloadBytes) }

    static func headerBytes(stamps: Int) -> Int { fixedBytes + stamps * stampBytes }

    static func length(stamps: Int, payload: Int) -> Int {
        (headerBytes(stamps: stamps) + payload + tagBytes + alignment - 1) & ~(alignment - 1)
    }

    /// The length of the shortest record.
    static let shortest = length(stamps: 0, payload: 0)

    /// Writes `headerBytes` bytes; the caller guarantees the room.
    func write(to bytes: UnsafeMutableRawPointer, checksum: SpillChecksum) {
        bytes.storeLittleEndian(Self.magic, at: 0)
        bytes.storeLittleEndian(UInt32(truncatingIfNeeded: payloadBytes), at: 4)
        bytes.storeLittleEndian(UInt32(truncatingIfNeeded: valueBytes), at: 8)
        bytes.storeLittleEndian(key.namespace, at: 12)
        bytes.storeLittleEndian(key.key.high, at: 16)
        bytes.storeLittleEndian(key.key.low, at: 24)
        bytes.storeLittleEndian(hash, at: 32)
        bytes.storeLittleEndian(expiresAt, at: 40)
        bytes.storeLittleEndian(dictionary, at: 48)
        bytes.storeLittleEndian(flags.rawValue, at: 50)
        bytes.storeLittleEndian(UInt8(truncatingIfNeeded: stamps.count), at: 51)
        var offset = 52
        for stamp in stamps {
            bytes.storeLittleEndian(stamp.slot, at: offset)
            bytes.storeLittleEndian(stamp.version, at: offset + 4)
            offset += Self.stampBytes
        }
        bytes.storeLittleEndian(sequence, at: offset)
        let sum = checksum.sum(UnsafeRawBufferPointer(start: bytes, count: offset + 8))
        bytes.storeLittleEndian(UInt32(truncatingIfNeeded: sum), at: offset + 8)
    }

    /// The header at the beginning of the bytes; nil when it is not intact.
    init?(_ bytes: UnsafeRawBufferPointer, checksum: SpillChecksum) {
        guard let lengths = Self.lengths(bytes, checksum: checksum) else { return nil }
        var reader = SpillBytesReader(bytes, at: 8)
        guard let value = reader.next(UInt32.self), let namespace = reader.next(UInt32.self),
            let high = reader.next(UInt64.self), let low = reader.next(UInt64.self), let hash = reader.next(UInt64.self),
            let expiresAt = reader.next(Int64.self), let dictionary = reader.next(UInt16.self),
            let flags = reader.next(UInt8.self), reader.next(UInt8.self) != nil
        else { return nil }
        var stamps: [Stamp] = []
        stamps.reserveCapacity(lengths.stamps)
        for _ in 0..<lengths.stamps {
            guard let slot = reader.next(UInt32.self), let version = reader.next(UInt32.self) else { return nil }
            stamps.append(Stamp(slot: slot, version: version))
        }
        guard let sequence = reader.next(UInt64.self) else { return nil }
        self.key = EntryKey(namespace: namespace, key: CacheKey(high: high, low: low))
        self.hash = hash
        self.expiresAt = expiresAt
        self.stamps = stamps
        self.payloadBytes = lengths.payload
        self.valueBytes = Int(value)
        self.dictionary = dictionary
        self.flags = Flags(rawValue: flags)
        self.sequence = sequence
    }

    /// The lengths in a header whose magic, number of stamps and checksum are right. The payload may still be missing.
    private static func lengths(_ bytes: UnsafeRawBufferPointer, checksum: SpillChecksum) -> (payload: Int, stamps: Int)? {
        guard bytes.count >= fixedBytes, bytes.loadUnaligned(as: UInt32.self).littleEndian == magic else { return nil }
        let stamps = Int(bytes[51])
        let header = headerBytes(stamps: stamps)
        guard stamps <= SpilledEntry.maximumStamps, bytes.count >= header else { return nil }
        let sum = checksum.sum(UnsafeRawBufferPointer(rebasing: bytes[..<(header - 4)]))
        let stated = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: header - 4, as: UInt32.self))
        guard UInt32(truncatingIfNeeded: sum) == stated else { return nil }
        let payload = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard payload <= Spill.maximumSegmentBytes else { return nil }
        return (Int(payload), stamps)
    }

    init(_ entry: SpilledEntry, payloadBytes: Int, dictionary: UInt16, flags: Flags, sequence: UInt64) {
        self.key = entry.key
        self.hash = entry.hash
        self.expiresAt = entry.expiresAt
        self.stamps = entry.stamps
        self.payloadBytes = payloadBytes
        self.valueBytes = entry.value.count
        self.dictionary = dictionary
        self.flags = flags
        self.sequence = sequence
    }

    /// The rest of an erased record: its length and its sequence number.
    init(erasing payloadBytes: Int, stamps: Int, sequence: UInt64) {
        self.key = EntryKey(namespace: 0, key: CacheKey(low: 0))
        self.hash = 0
        self.expiresAt = 0
        self.stamps = Array(repeating: Stamp(slot: 0, version: 0), count: stamps)
        self.payloadBytes = payloadBytes
        self.valueBytes = 0
        self.dictionary = 0
        self.flags = .erased
        self.sequence = sequence
    }

    // MARK: Sealing

    /// Writes the whole record, `length` bytes; the caller guarantees the room.
    /// - Returns: false when the cipher failed, which is not expected.
    func seal(
        _ payload: UnsafeRawBufferPointer, under key: SymmetricKey, checksum: SpillChecksum, to bytes: UnsafeMutableRawPointer
    ) -> Bool {
        write(to: bytes, checksum: checksum)
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

    /// Decrypts the payload of the record at the beginning of the bytes. Nil unless every bit of header and payload is as it was
    /// written.
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
