import Crypto
import FoundationEssentials
import Synchronization

/// A segment file: 64 bytes of header, records, footer. It is closed when the last reader releases it.
///
/// Header: magic (8), serial number (8), salt (16), sequence number of the first record (8), zeros, checksum (8).
final class SpillSegment: Sendable {
    static let headerBytes = 64
    private static let magic: UInt64 = 0x3147_4553_4B52_5053  // "SPRKSEG1"
    private static let saltBytes = 16

    /// Counts up over the life of a spill. The low twelve bits are the slot of a location.
    let serial: UInt64
    let descriptor: Int32
    private let path: String
    let key: SymmetricKey
    /// No record in it has a smaller sequence number.
    let firstSequence: UInt64
    /// Whether an earlier start wrote it.
    let isRecovered: Bool
    private let files: any SpillFiles
    private let length: Atomic<Int>

    private init(
        serial: UInt64, descriptor: Int32, path: String, key: SymmetricKey, firstSequence: UInt64, isRecovered: Bool, length: Int,
        files: any SpillFiles
    ) {
        self.serial = serial
        self.descriptor = descriptor
        self.path = path
        self.key = key
        self.firstSequence = firstSequence
        self.isRecovered = isRecovered
        self.length = Atomic(length)
        self.files = files
    }

    deinit { files.close(descriptor) }

    var slot: Int { Self.slot(of: serial) }
    static func slot(of serial: UInt64) -> Int { Int(serial & 0xFFF) }

    /// Bytes of the file.
    var bytes: Int {
        get { length.load(ordering: .acquiring) }
        set { length.store(newValue, ordering: .releasing) }
    }

    static func name(serial: UInt64) -> String { "segment-\(String(serial, radix: 16)).spill" }

    /// Nil when the name is not that of a segment.
    static func serial(name: String) -> UInt64? {
        guard name.hasPrefix("segment-"), name.hasSuffix(".spill") else { return nil }
        return UInt64(name.dropFirst(8).dropLast(6), radix: 16)
    }

    /// Creates an empty segment. Leaves no file behind when it fails.
    static func create(
        serial: UInt64, salt: [UInt8], firstSequence: UInt64, in directory: String, keys: SpillKeys, files: any SpillFiles
    ) throws(SpillFault) -> SpillSegment {
        let path = directory + "/" + name(serial: serial)
        let descriptor = try files.open(path, .create)
        var header: [UInt8] = []
        header.appendLittleEndian(magic)
        header.appendLittleEndian(serial)
        header.append(contentsOf: salt.prefix(saltBytes))
        header.appendLittleEndian(firstSequence)
        header.append(contentsOf: repeatElement(0, count: headerBytes - 8 - header.count))
        header.appendLittleEndian(keys.checksum.sum(header))
        do throws(SpillFault) {
            try files.writeWhole(descriptor, header, at: 0)
        } catch {
            files.close(descriptor)
            try? files.remove(path)
            throw error
        }
        return SpillSegment(
            serial: serial, descriptor: descriptor, path: path, key: keys.segment(salt: salt), firstSequence: firstSequence,
            isRecovered: false, length: headerBytes, files: files)
    }

    /// Opens a segment of an earlier start. Nil when its header is not intact under this key.
    static func open(serial: UInt64, in directory: String, keys: SpillKeys, files: any SpillFiles) -> SpillSegment? {
        let path = directory + "/" + name(serial: serial)
        guard let descriptor = try? files.open(path, .update) else { return nil }
        guard let length = try? files.size(descriptor), length <= 2 * Spill.maximumSegmentBytes,
            let header = try? files.readBytes(descriptor, count: headerBytes, at: 0), header.count == headerBytes,
            let content = content(of: header, serial: serial, checksum: keys.checksum)
        else {
            files.close(descriptor)
            return nil
        }
        return SpillSegment(
            serial: serial, descriptor: descriptor, path: path, key: keys.segment(salt: content.salt),
            firstSequence: content.firstSequence, isRecovered: true, length: length, files: files)
    }

    private static func content(of header: [UInt8], serial: UInt64, checksum: SpillChecksum) -> (
        salt: [UInt8], firstSequence: UInt64
    )? {
        header.withUnsafeBytes { bytes in
            var end = SpillBytesReader(bytes, at: headerBytes - 8)
            guard end.next(UInt64.self) == checksum.sum(UnsafeRawBufferPointer(rebasing: bytes[..<(headerBytes - 8)])) else {
                return nil
            }
            var reader = SpillBytesReader(bytes)
            guard reader.next(UInt64.self) == magic, reader.next(UInt64.self) == serial,
                let salt = reader.next(count: saltBytes), let firstSequence = reader.next(UInt64.self)
            else { return nil }
            return (Array(salt), firstSequence)
        }
    }

    /// Removes the file. The salt is overwritten first: without it, nothing in the freed blocks can be decrypted.
    func destroy() throws(SpillFault) {
        try? files.writeWhole(descriptor, [UInt8](repeating: 0, count: Self.headerBytes), at: 0)
        try files.remove(path)
    }
}

/// Reads a whole segment: its footer if that is intact, else the header of every record.
struct SegmentScan {
    let segment: SpillSegment
    let files: any SpillFiles
    let checksum: SpillChecksum

    init(_ segment: SpillSegment, in storage: SpillStorage) {
        self.segment = segment
        self.files = storage.files
        self.checksum = storage.checksum
    }

    /// Nil when there is no intact footer.
    func footer() throws(SpillFault) -> (footer: SpillFooter, offset: Int)? {
        let length = segment.bytes
        guard length >= SpillSegment.headerBytes + SpillFooter.trailerBytes else { return nil }
        let trailer = try files.readBytes(
            segment.descriptor, count: SpillFooter.trailerBytes, at: length - SpillFooter.trailerBytes)
        guard let place = SpillFooter.place(trailer: trailer, length: length), place.lowerBound >= SpillSegment.headerBytes
        else { return nil }
        let bytes = try files.readBytes(segment.descriptor, count: place.count, at: place.lowerBound)
        return SpillFooter(bytes, checksum: checksum).map { ($0, place.lowerBound) }
    }

    /// Visits each record whose header is intact and that fits in the file, in order. After damage it continues at the next
    /// intact header.
    /// - Returns: the bytes that were skipped.
    func records(_ visit: (_ record: SpillRecord, _ offset: Int) -> Void) throws(SpillFault) -> Int {
        let bytes = try files.readBytes(segment.descriptor, count: segment.bytes, at: 0)
        return bytes.withUnsafeBytes { raw in
            var offset = SpillSegment.headerBytes
            var corrupt = 0
            while offset + SpillRecord.shortest <= raw.count {
                let rest = UnsafeRawBufferPointer(rebasing: raw[offset...])
                if let record = SpillRecord(rest, checksum: checksum), record.length <= rest.count {
                    visit(record, offset)
                    offset += record.length
                } else {
                    corrupt += SpillRecord.alignment
                    offset += SpillRecord.alignment
                }
            }
            return corrupt
        }
    }
}
