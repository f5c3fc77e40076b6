import CZlib
import Foundation
import SparkCore

/// The form of a segment: a file with some seconds of a generation. Integers are little-endian.
///
/// A header of 128 bytes is followed by records. A record has a header of 16 bytes: its kind, the length of its content, the content's
/// CRC-32, and the CRC-32 of these three. A closed segment ends with a trailer, whose SHA-256 covers everything before it; the next
/// segment's header repeats it, so that no segment can be missing, doubled or exchanged.
enum SegmentFormat {
    static let magic: [UInt8] = Array("SPARKSG1".utf8)
    static let headerBytes = 128
    static let recordHeaderBytes = 16
    static let digestBytes = 32
    static let trailerBytes = 24 + digestBytes
    static let generationBytes = 32
    /// The most frames in one batch.
    static let batchFrames = 256
    /// The most bytes of a segment that is read. Segments are closed long before.
    static let mostBytes = 64 << 20

    enum Kind: UInt32 {
        /// Frames of the log, with the times of the commits that end among them.
        case batch = 1
        /// A place in the log, without frames: a log begins, or was read to its end.
        case place = 2
        /// The end of a closed segment.
        case trailer = 3
    }

    static func crc(_ bytes: some Collection<UInt8>) -> UInt32 {
        let sum = bytes.withContiguousStorageIfAvailable { bytes in
            crc32_z(0, bytes.baseAddress, bytes.count)
        }
        return UInt32(truncatingIfNeeded: sum ?? crc32_z(0, Array(bytes), bytes.count))
    }

    static func record(_ kind: Kind, _ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(recordHeaderBytes + content.count)
        bytes.append(number: kind.rawValue)
        bytes.append(number: UInt32(content.count))
        bytes.append(number: crc(content))
        bytes.append(number: crc(bytes))
        return bytes + content
    }
}

/// The beginning of a segment.
struct SegmentHeader: Hashable, Sendable {
    var generation: String
    /// From 1, without gaps.
    var number: Int64
    var pageSize: Int
    /// The number of commits that ended before this segment.
    var commits: Int64
    /// The digest of the segment before; zeros for the first one.
    var previous: [UInt8]
    /// When the generation began, in milliseconds since 1970.
    var began: Int64

    var encoded: [UInt8] {
        var bytes = SegmentFormat.magic
        bytes.append(number: UInt64(pageSize))
        bytes.append(number: number)
        bytes.append(number: commits)
        let name = Array(generation.utf8.prefix(SegmentFormat.generationBytes))
        bytes += name + [UInt8](repeating: 0, count: SegmentFormat.generationBytes - name.count)
        bytes += previous
        bytes.append(number: began)
        bytes += [UInt8](repeating: 0, count: SegmentFormat.headerBytes - 4 - bytes.count)
        bytes.append(number: SegmentFormat.crc(bytes))
        return bytes
    }
}

extension SegmentHeader {
    /// Nil if the bytes are no header.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= SegmentFormat.headerBytes else { return nil }
        let bytes = bytes.prefix(SegmentFormat.headerBytes)
        var end = ByteCursor(bytes.suffix(4))
        var cursor = ByteCursor(bytes)
        guard let sum = end.number(UInt32.self), sum == SegmentFormat.crc(bytes.dropLast(4)),
            let magic = cursor.bytes(SegmentFormat.magic.count), Array(magic) == SegmentFormat.magic,
            let size = cursor.number(UInt64.self), size >= 512, size <= 65_536, size & (size - 1) == 0,
            let number = cursor.number(Int64.self), 1...SegmentName.largest ~= number,
            let commits = cursor.number(Int64.self), 0...SegmentName.largest ~= commits,
            let name = cursor.bytes(SegmentFormat.generationBytes), let previous = cursor.bytes(SegmentFormat.digestBytes),
            let began = cursor.number(Int64.self)
        else { return nil }
        self.init(
            generation: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self), number: number, pageSize: Int(size),
            commits: commits,
            previous: Array(previous), began: began)
    }
}

/// Frames of the log, decoded.
struct SegmentBatch: Sendable {
    /// For each frame, its page and, if it ends a commit, the size of the database in pages, otherwise 0.
    var frames: [(page: UInt32, databasePages: UInt32)]
    /// The pages one after the other, in the order of the frames.
    var pages: [UInt8]
    /// When the commits among the frames ended, in milliseconds since 1970.
    var times: [Int64]
    /// The place in the log after the last frame.
    var end: LogPlace
}

/// The end of a closed segment.
struct SegmentTrailer: Hashable, Sendable {
    /// The number of commits in the generation up to here.
    var commits: Int64
    /// The earliest and the latest time of a commit in the segment; for a segment in which none ends, that of the last one before.
    var first: Int64
    var last: Int64
    /// SHA-256 of everything before the trailer.
    var digest: [UInt8]

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(number: commits)
        bytes.append(number: first)
        bytes.append(number: last)
        return bytes + digest
    }
}

extension SegmentTrailer {
    init?(_ bytes: ArraySlice<UInt8>) {
        var cursor = ByteCursor(bytes)
        guard let commits = cursor.number(Int64.self), let first = cursor.number(Int64.self),
            let last = cursor.number(Int64.self), [commits, first, last].allSatisfy({ 0...SegmentName.largest ~= $0 }),
            let digest = cursor.bytes(SegmentFormat.digestBytes), cursor.left == 0
        else { return nil }
        self.init(commits: commits, first: first, last: last, digest: Array(digest))
    }
}
