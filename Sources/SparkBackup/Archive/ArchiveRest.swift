import Foundation
import Glibc
import SparkFiles

/// How an orderly end left the database: the file `rest` of the spool. If the database file is exactly this file, in exactly this state,
/// nothing changed it since, and everything in it is in the archive.
struct ArchiveRest: Hashable {
    static let name = "rest"
    private static let head = "spark-archive-rest 1"

    var generation: String
    var commits: Int64
    /// Identity, length, time and the header of the database file, which counts changes.
    var database: String

    /// The state of a database file now; nil if there is none. Call it only while no connection of this process has the database open:
    /// closing a descriptor of the file would release their locks.
    static func state(of database: URL) -> String? {
        let descriptor = open(database.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        guard let status = FileStatus(descriptor: descriptor), pread(descriptor, &header, header.count, 0) == header.count else {
            return nil
        }
        return "\(status.identity) \(status.bytes) \(status.modified) \(SegmentFormat.crc(header))"
    }

    func write(in folder: URL) throws(FileError) {
        let text = "\(Self.head)\n\(generation)\n\(commits)\n\(database)\n"
        try DurableFile.replace(folder.appending(path: Self.name).path, with: Array(text.utf8))
    }

    static func read(in folder: URL) -> ArchiveRest? {
        guard let bytes = try? DurableFile.contents(of: folder.appending(path: name).path, atMost: 4_096) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
        guard lines.count == 5, lines[0] == head, let commits = Int64(lines[2]) else { return nil }
        return ArchiveRest(generation: lines[1], commits: commits, database: lines[3])
    }
}
