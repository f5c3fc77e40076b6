/// The list of a segment's records, at its end. A restart need not read the records, and an erasure finds those it must
/// overwrite.
///
/// Sixteen bytes a record (hash; offset in units of 16 bytes with the number of stamps above it; length) and four bytes a stamp.
/// The records of a segment have consecutive sequence numbers. The file ends in a trailer of 32 bytes.
struct SpillFooter {
    private static let magic: UInt32 = 0x4654_5053  // "SPTF"
    static let trailerBytes = 32

    struct Entry: Equatable {
        var hash: UInt64
        var offset: Int
        /// Zero: erased.
        var length: Int
        var slots: [UInt32]
    }

    private(set) var count = 0
    private(set) var firstSequence: UInt64
    private(set) var entries: [UInt8] = []

    init(firstSequence: UInt64) { self.firstSequence = firstSequence }

    /// Bytes at the end of the file.
    var bytes: Int { entries.count + Self.trailerBytes }

    static func entryBytes(stamps: Int) -> Int { 16 + stamps * 4 }

    mutating func append(_ record: SpillRecord, offset: Int) {
        if count == 0 { firstSequence = record.sequence }
        count += 1
        entries.appendLittleEndian(record.hash)
        entries.appendLittleEndian(UInt32(truncatingIfNeeded: offset / 16 | record.stamps.count << 24))
        entries.appendLittleEndian(UInt32(truncatingIfNeeded: record.length))
        for stamp in record.stamps { entries.appendLittleEndian(stamp.slot) }
    }

    /// Removes the records from the given offset on, because they did not reach the disk.
    mutating func removeAll(from offset: Int) {
        var kept = 0
        var end = 0
        visit { entry, _, range in
            guard entry.offset < offset else { return }
            kept += 1
            end = range.upperBound
        }
        count = kept
        entries.removeSubrange(end...)
    }

    /// The entries and the trailer.
    func encoded(at offset: Int, checksum: SpillChecksum) -> [UInt8] {
        var bytes = entries
        bytes.appendLittleEndian(Self.magic)
        bytes.appendLittleEndian(UInt32(truncatingIfNeeded: count))
        bytes.appendLittleEndian(UInt32(truncatingIfNeeded: offset))
        bytes.appendLittleEndian(UInt32(truncatingIfNeeded: entries.count))
        bytes.appendLittleEndian(firstSequence)
        bytes.appendLittleEndian(checksum.sum(bytes))
        return bytes
    }

    /// The position of the footer in a file of `length` bytes that ends in this trailer; nil when the trailer is not valid.
    static func place(trailer: [UInt8], length: Int) -> Range<Int>? {
        trailer.withUnsafeBytes { bytes in
            var reader = SpillBytesReader(bytes)
            guard reader.next(UInt32.self) == magic, reader.next(UInt32.self) != nil, let offset = reader.next(UInt32.self),
                let size = reader.next(UInt32.self), Int(offset) + Int(size) + trailerBytes == length
            else { return nil }
            return Int(offset)..<length
        }
    }

    /// Nil unless the bytes are what `encoded` returned.
    init?(_ bytes: [UInt8], checksum: SpillChecksum) {
        guard bytes.count >= Self.trailerBytes else { return nil }
        let end = bytes.count - Self.trailerBytes
        let parsed = bytes.withUnsafeBytes { raw -> (UInt32, UInt64)? in
            var reader = SpillBytesReader(raw, at: end + 4)
            guard let count = reader.next(UInt32.self), reader.next(UInt64.self) != nil, let first = reader.next(UInt64.self),
                let sum = reader.next(UInt64.self),
                checksum.sum(UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - 8)])) == sum
            else { return nil }
            return (count, first)
        }
        guard let parsed else { return nil }
        self.count = Int(parsed.0)
        self.firstSequence = parsed.1
        self.entries = Array(bytes[..<end])
    }

    /// Visits each entry that is not erased, without its slots.
    func visitPlaces(_ visit: (_ index: Int, _ hash: UInt64, _ offset: Int, _ length: Int) -> Void) {
        entries.withUnsafeBytes { bytes in
            var reader = SpillBytesReader(bytes)
            for index in 0..<count {
                guard let hash = reader.next(UInt64.self), let place = reader.next(UInt32.self),
                    let length = reader.next(UInt32.self), reader.next(count: Int(place >> 24) * 4) != nil
                else { return }
                if length > 0 { visit(index, hash, Int(place & 0xFF_FFFF) * 16, Int(length)) }
            }
        }
    }

    /// Visits each entry with its index and its bytes in `entries`.
    func visit(_ visit: (_ entry: Entry, _ index: Int, _ range: Range<Int>) -> Void) {
        entries.withUnsafeBytes { bytes in
            var reader = SpillBytesReader(bytes)
            for index in 0..<count {
                let start = reader.offset
                guard let hash = reader.next(UInt64.self), let place = reader.next(UInt32.self),
                    let length = reader.next(UInt32.self)
                else { return }
                var slots: [UInt32] = []
                for _ in 0..<(place >> 24) {
                    guard let slot = reader.next(UInt32.self) else { return }
                    slots.append(slot)
                }
                let entry = Entry(hash: hash, offset: Int(place & 0xFF_FFFF) * 16, length: Int(length), slots: slots)
                visit(entry, index, start..<reader.offset)
            }
        }
    }

    /// Zeroes everything in the entry but the number of its stamps.
    mutating func erase(_ range: Range<Int>) {
        for index in range where index < entries.count && !(index - range.lowerBound == 11) { entries[index] = 0 }
    }
}
