import Crypto
import Foundation
import Glibc
import SparkFiles

/// Writes one segment in the spool, as `<number>.open`. A record that could not be written whole is cut off again.
final class SegmentWriter {
    static let suffix = ".open"

    let header: SegmentHeader
    let path: String
    private let descriptor: Int32
    private var hash: SHA256
    /// The bytes of the file.
    private(set) var bytes: Int
    /// The number of commits in the generation up to here.
    private(set) var commits: Int64
    /// The times of the earliest and the latest commit; nil if there is none.
    private(set) var times: ClosedRange<Int64>?

    /// Creates the file.
    init(_ header: SegmentHeader, in folder: URL) throws(FileFault) {
        self.header = header
        self.path = folder.appending(path: "\(header.number)\(Self.suffix)").path
        self.descriptor = try SystemFiles().create(path)
        self.hash = SHA256()
        self.bytes = 0
        self.commits = header.commits
        let first = header.encoded
        try SystemFiles().writeWhole(descriptor, first, at: 0)
        hash.update(data: first)
        bytes = first.count
    }

    /// Continues a file after its last whole record.
    init(_ reader: SegmentReader, _ summary: SegmentReader.Summary, path: String) throws(FileFault) {
        self.header = summary.header
        self.path = path
        self.descriptor = Int32(try FileFault.check { Int(Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) })
        self.hash = SHA256()
        hash.update(data: reader.bytes[..<summary.bytes])
        self.bytes = summary.bytes
        self.commits = summary.commits
        self.times = summary.times
        _ = try FileFault.check { Int(ftruncate(descriptor, off_t(bytes))) }
    }

    deinit { close(descriptor) }

    var isEmpty: Bool { bytes <= SegmentFormat.headerBytes }

    /// Appends frames, with the times of the commits that end among them.
    func append(_ frames: LogTail.Frames, times: [Int64]) throws(FileFault) {
        try append(.batch, SegmentBatch.encoded(frames, times: times, pageSize: header.pageSize))
        commits += Int64(times.count)
        if let low = times.min(), let high = times.max() {
            self.times = min(low, self.times?.lowerBound ?? low)...max(high, self.times?.upperBound ?? high)
        }
    }

    /// Appends a place in the log.
    func append(_ place: LogPlace) throws(FileFault) { try append(.place, place.encoded) }

    /// Appends the trailer. Nothing may follow.
    /// - Parameter time: The time of the last commit before this segment.
    /// - Returns: The segment, which is complete, but not yet on the disk.
    func end(after time: Int64) throws(FileFault) -> SealedSegment {
        let times = times ?? time...time
        let digest = Array(hash.finalize())
        let trailer = SegmentTrailer(commits: commits, first: times.lowerBound, last: times.upperBound, digest: digest)
        try append(.trailer, trailer.encoded)
        return SealedSegment(
            name: SegmentName(
                generation: header.generation, number: header.number, commits: commits, first: times.lowerBound,
                last: times.upperBound),
            path: path, bytes: Int64(bytes), digest: digest)
    }

    private func append(_ kind: SegmentFormat.Kind, _ content: [UInt8]) throws(FileFault) {
        let record = SegmentFormat.record(kind, content)
        do throws(FileFault) {
            try SystemFiles().writeWhole(descriptor, record, at: bytes)
        } catch {
            // Best effort: a record that is not whole is recognised when the file is read.
            ftruncate(descriptor, off_t(bytes))
            throw error
        }
        hash.update(data: record)
        bytes += record.count
    }
}

/// A segment with its trailer.
struct SealedSegment: Sendable {
    var name: SegmentName
    var path: String
    var bytes: Int64
    var digest: [UInt8]

    /// Puts the segment on the disk, under its name. Blocks.
    mutating func finish() throws(FileFault) {
        try synchronize()
        let folder = (path as NSString).deletingLastPathComponent
        let final = folder + "/" + name.file
        try SystemFiles().rename(path, to: final)
        try SystemFiles().synchronizeDirectory(folder)
        path = final
    }

    private func synchronize() throws(FileFault) {
        let descriptor = Int32(try FileFault.check { Int(Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) })
        defer { close(descriptor) }
        try SystemFiles().synchronize(descriptor)
    }
}
