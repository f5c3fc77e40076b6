import Crypto
import Foundation
import SparkFiles

/// Reads segments. Everything in them is checked; nothing of a damaged segment is returned as good.
struct SegmentReader {
    enum Record {
        case batch(SegmentBatch)
        case place(LogPlace)
    }

    /// What a segment contains.
    struct Summary: Hashable {
        var header: SegmentHeader
        /// Nil for a segment that is not closed.
        var trailer: SegmentTrailer?
        /// The place in the log after the last record; nil if it has none.
        var end: LogPlace?
        /// The number of commits in the generation up to the end.
        var commits: Int64
        /// The times of the earliest and the latest commit; nil if there is none.
        var times: ClosedRange<Int64>?
        /// The bytes of whole records, with the header.
        var bytes: Int
    }

    /// A segment, in its whole length.
    let bytes: [UInt8]
    /// Its name, for messages.
    let name: String

    /// Reads a file.
    /// - Throws: `FileError`; `ArchiveError` for a file that is too long.
    init(_ file: URL, name: String? = nil) throws {
        self.name = name ?? file.lastPathComponent
        guard let bytes = try DurableFile.contents(of: file.path, atMost: SegmentFormat.mostBytes) else {
            throw ArchiveError.damaged(segment: self.name, "it is gone")
        }
        self.bytes = bytes
    }

    /// Reads a closed segment. Its checksum is compared before `each` gets anything.
    /// - Parameter each: Gets each record in its order.
    /// - Throws: `ArchiveError` if anything is wrong, or what `each` throws.
    @discardableResult
    func read(_ each: (Record) throws -> Void = { _ in }) throws -> Summary {
        try verify()
        let summary = try scan(each)
        guard let trailer = summary.trailer else {
            throw ArchiveError.damaged(segment: name, "a record is not whole")
        }
        guard summary.bytes == bytes.count else { throw ArchiveError.damaged(segment: name, "something follows its end") }
        guard trailer.commits == summary.commits else {
            throw ArchiveError.damaged(segment: name, "it has another number of commits")
        }
        guard summary.times.map({ $0 == trailer.first...max(trailer.first, trailer.last) }) ?? true else {
            throw ArchiveError.damaged(segment: name, "its end has other times than its commits")
        }
        return summary
    }

    /// Compares the checksum of a closed segment.
    private func verify() throws {
        let size = SegmentFormat.recordHeaderBytes + SegmentFormat.trailerBytes
        guard bytes.count >= SegmentFormat.headerBytes + size, let (kind, content) = record(at: bytes.count - size),
            kind == .trailer,
            let trailer = SegmentTrailer(content)
        else { throw ArchiveError.damaged(segment: name, "its end is missing") }
        guard trailer.digest == Array(SHA256.hash(data: bytes.dropLast(size))) else {
            throw ArchiveError.damaged(segment: name, "its checksum is wrong")
        }
    }

    /// Reads the whole records at the beginning of a segment that may not be closed, or was cut.
    /// - Throws: `ArchiveError` if it has no header or a whole record is wrong, or what `each` throws.
    func scan(_ each: (Record) throws -> Void = { _ in }) throws -> Summary {
        guard let header = SegmentHeader(bytes[...]) else { throw ArchiveError.damaged(segment: name, "its header is wrong") }
        var summary = Summary(header: header, commits: header.commits, bytes: SegmentFormat.headerBytes)
        while summary.trailer == nil, let (kind, content) = record(at: summary.bytes) {
            switch kind {
            case .batch:
                guard let batch = SegmentBatch(content, pageSize: header.pageSize) else {
                    throw ArchiveError.damaged(segment: name, "a record cannot be read")
                }
                summary.end = batch.end
                summary.commits += Int64(batch.times.count)
                if let low = batch.times.min(), let high = batch.times.max() {
                    summary.times = min(low, summary.times?.lowerBound ?? low)...max(high, summary.times?.upperBound ?? high)
                }
                try each(.batch(batch))
            case .place:
                var cursor = ByteCursor(content)
                guard let place = LogPlace(&cursor), cursor.left == 0 else {
                    throw ArchiveError.damaged(segment: name, "a record cannot be read")
                }
                summary.end = place
                try each(.place(place))
            case .trailer:
                guard let trailer = SegmentTrailer(content), trailer.digest == Array(SHA256.hash(data: bytes[..<summary.bytes]))
                else {
                    throw ArchiveError.damaged(segment: name, "its checksum is wrong")
                }
                summary.trailer = trailer
            }
            summary.bytes += SegmentFormat.recordHeaderBytes + content.count
        }
        return summary
    }

    /// The record at a place; nil if it is not whole.
    private func record(at start: Int) -> (SegmentFormat.Kind, ArraySlice<UInt8>)? {
        var cursor = ByteCursor(bytes[start...])
        guard let word = cursor.number(UInt32.self), let kind = SegmentFormat.Kind(rawValue: word),
            let length = cursor.number(UInt32.self), let sum = cursor.number(UInt32.self),
            let headerSum = cursor.number(UInt32.self),
            headerSum == SegmentFormat.crc(bytes[start..<start + 12]), let content = cursor.bytes(Int(length)),
            sum == SegmentFormat.crc(content)
        else { return nil }
        return (kind, content)
    }
}
