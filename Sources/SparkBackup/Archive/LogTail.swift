import CGatheredLog
import Foundation
import Glibc
import SparkFiles
import SparkStorage

/// Reads SQLite's write-ahead log beside the connection that writes it, with a descriptor of its own. SQLite locks the database and its
/// shared memory, never the log, so opening and closing it releases no lock.
///
/// Only committed frames are returned: frames of a transaction that is not committed may still be overwritten.
struct LogTail: ~Copyable {
    /// The header of a log (https://www.sqlite.org/fileformat2.html, section 4.1).
    struct Header: Hashable {
        var pageSize: Int
        /// The place before the first frame.
        var start: LogPlace
    }

    /// Committed frames that follow each other.
    struct Frames {
        /// Frame headers and pages, as they are in the file.
        var bytes: [UInt8] = []
        var count = 0
        /// For each frame, the size of the database in pages if the frame ends a commit, otherwise 0.
        var commits: [UInt32] = []
        /// The place after the last frame.
        var end: LogPlace
    }

    static let headerBytes = 32
    static let frameHeaderBytes = 24

    private let path: String
    private var descriptor: Int32 = -1
    /// Frames of the log with these salts are committed up to this number, which was found by reading ahead.
    private var known: (salts: LogSalts, frame: UInt32)?

    init(path: String) { self.path = path }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The log's header; nil if there is no log, or its header is not written yet.
    mutating func header() throws(FileFault) -> Header? {
        guard try open() else { return nil }
        let bytes = try read(Self.headerBytes, at: 0)
        guard bytes.count == Self.headerBytes else { return nil }
        let magic = Self.big(bytes, 0)
        guard magic & 0xFFFF_FFFE == 0x377F_0682 else { return nil }
        let isBigEndian = magic & 1 == 1
        let size = Int(Self.big(bytes, 8))
        guard size >= 512, size <= 65_536, size & (size - 1) == 0 else { return nil }
        var sums: [UInt32] = [0, 0]
        spark_log_checksum(bytes, 24, isBigEndian ? 1 : 0, &sums)
        guard sums == [Self.big(bytes, 24), Self.big(bytes, 28)] else { return nil }
        let start = LogPlace(
            salts: .init(first: Self.big(bytes, 16), second: Self.big(bytes, 20)), sums: .init(first: sums[0], second: sums[1]),
            isBigEndian: isBigEndian)
        return Header(pageSize: size, start: start)
    }

    /// The next committed frames.
    /// - Parameters:
    ///   - limit: The most frames to return.
    ///   - bound: The number of frames up to which the log may be read; nil for all of it.
    /// - Returns: No frames if all that is committed was read.
    mutating func frames(after place: LogPlace, pageSize: Int, limit: Int, bound: UInt32?) throws(FileFault) -> Frames {
        var found = Frames(end: place)
        guard try open() else { return found }
        let room = bound.map { $0 > place.frame ? Int($0 - place.frame) : 0 } ?? limit
        found = try valid(after: place, pageSize: pageSize, limit: min(limit, room))
        guard found.count > 0 else { return found }
        if let last = found.commits.lastIndex(where: { $0 != 0 }), last + 1 < found.count {
            if isKnown(found.end) { return found }
            return found.prefix(last + 1, after: place, pageSize: pageSize)
        }
        if found.commits.last == 0, !isKnown(found.end) {
            // A large transaction, or one that is under way: look for its end.
            guard let end = try lastCommit(after: found.end, pageSize: pageSize, bound: bound) else { return Frames(end: place) }
            known = (place.salts, end.frame)
        }
        return found
    }

    private func isKnown(_ place: LogPlace) -> Bool {
        guard let known else { return false }
        return known.salts == place.salts && known.frame >= place.frame
    }

    /// The place after the last commit in the log; nil if no commit follows `place`.
    mutating func lastCommit(after place: LogPlace, pageSize: Int, bound: UInt32? = nil) throws(FileFault) -> LogPlace? {
        guard try open() else { return nil }
        var (last, place) = (LogPlace?.none, place)
        while true {
            let room = bound.map { $0 > place.frame ? Int($0 - place.frame) : 0 } ?? .max
            let found = try valid(after: place, pageSize: pageSize, limit: min(256, room))
            guard found.count > 0 else { return last }
            if let index = found.commits.lastIndex(where: { $0 != 0 }) {
                last = found.prefix(index + 1, after: place, pageSize: pageSize).end
            }
            place = found.end
        }
    }

    /// Whether the log still has exactly what was read up to a place: the frame before it has the same salts and checksum.
    mutating func contains(_ place: LogPlace, pageSize: Int) throws(FileFault) -> Bool {
        guard let header = try header(), header.pageSize == pageSize, header.start.salts == place.salts else { return false }
        guard place.frame > 0 else { return header.start.sums == place.sums }
        return try self.place(after: place.frame, of: header, isCommit: false)?.sums == place.sums
    }

    /// The place after a frame, from the checksum in its header; nil if the log does not have it.
    /// - Parameter isCommit: Only if the frame ends a commit.
    func place(after frame: UInt32, of header: Header, isCommit: Bool) throws(FileFault) -> LogPlace? {
        var place = header.start
        guard frame > 0 else { return place }
        let offset = Self.headerBytes + Int(frame - 1) * (Self.frameHeaderBytes + header.pageSize)
        let bytes = try read(Self.frameHeaderBytes, at: offset)
        guard bytes.count == Self.frameHeaderBytes, Self.big(bytes, 8) == place.salts.first,
            Self.big(bytes, 12) == place.salts.second,
            !isCommit || Self.big(bytes, 4) != 0
        else { return nil }
        place.frame = frame
        place.sums = .init(first: Self.big(bytes, 16), second: Self.big(bytes, 20))
        return place
    }

    /// When the log was last written to, in milliseconds since 1970.
    var modified: Int64? { FileStatus(path: path).map { $0.modified / 1_000_000 } }

    /// Frames that continue the chain of salts and checksums, committed or not.
    private mutating func valid(after place: LogPlace, pageSize: Int, limit: Int) throws(FileFault) -> Frames {
        let size = Self.frameHeaderBytes + pageSize
        var found = Frames(end: place)
        guard limit > 0 else { return found }
        let offset = Self.headerBytes + Int(place.frame) * size
        found.bytes = try read(limit * size, at: offset)
        var sums: [UInt32] = [place.sums.first, place.sums.second]
        for start in stride(from: 0, through: found.bytes.count - size, by: size) {
            let isMine =
                Self.big(found.bytes, start + 8) == place.salts.first && Self.big(found.bytes, start + 12) == place.salts.second
                && Self.big(found.bytes, start) != 0
            guard isMine else { break }
            found.bytes.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                spark_log_checksum(base + start, 8, place.isBigEndian ? 1 : 0, &sums)
                spark_log_checksum(base + start + Self.frameHeaderBytes, pageSize, place.isBigEndian ? 1 : 0, &sums)
            }
            guard sums == [Self.big(found.bytes, start + 16), Self.big(found.bytes, start + 20)] else { break }
            found.count += 1
            found.commits.append(Self.big(found.bytes, start + 4))
            found.end.frame += 1
            (found.end.isEnd, found.end.next) = (false, LogSalts(first: 0, second: 0))
            found.end.sums = .init(first: sums[0], second: sums[1])
        }
        found.bytes.removeLast(found.bytes.count - found.count * size)
        return found
    }

    /// Opens the file if it is there, and again if another one has its name now.
    private mutating func open() throws(FileFault) -> Bool {
        if descriptor >= 0 {
            if let mine = FileStatus(descriptor: descriptor), let named = FileStatus(path: path), mine.identity == named.identity
            {
                return true
            }
            close(descriptor)
            descriptor = -1
        }
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor >= 0 { return true }
        guard errno == ENOENT else { throw FileFault(code: errno) }
        return false
    }

    /// Up to `count` bytes; fewer only at the end of the file.
    private func read(_ count: Int, at offset: Int) throws(FileFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try FileFault.check {
                bytes.withUnsafeMutableBytes {
                    pread(descriptor, $0.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
                }
            }
            if got == 0 { break }
            done += got
        }
        bytes.removeLast(count - done)
        return bytes
    }

    private static func big(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes.withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    }
}

extension LogTail.Frames {
    /// The first frames alone.
    fileprivate func prefix(_ count: Int, after place: LogPlace, pageSize: Int) -> Self {
        let size = LogTail.frameHeaderBytes + pageSize
        var first = self
        first.count = count
        first.commits.removeLast(commits.count - count)
        first.bytes.removeLast(bytes.count - count * size)
        first.end.frame = place.frame + UInt32(count)
        let sums = bytes.withUnsafeBytes { bytes in
            (0..<2).map { index in
                UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: (count - 1) * size + 16 + index * 4, as: UInt32.self))
            }
        }
        first.end.sums = .init(first: sums[0], second: sums[1])
        return first
    }
}
