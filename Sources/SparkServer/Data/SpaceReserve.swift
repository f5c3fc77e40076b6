import Foundation
import Glibc
import SparkFiles

/// A file that reserves a little disk space. A server that must start on a full disk deletes it: this is enough for the writes of
/// a start, so that the server can serve existing data and refuse writes.
enum SpaceReserve {
    static let name = "spark.reserve"
    private static let bytes = 1 << 20
    /// Below this many free bytes the reserve is deleted.
    private static let low: UInt64 = 4 << 20
    /// From this many free bytes on the reserve is created.
    private static let ample: UInt64 = 256 << 20

    /// - Returns: whether the reserve was deleted.
    static func releaseIfNeeded(in directory: URL) -> Bool {
        let path = directory.appending(path: name).path
        guard let free = free(in: directory), free < low, FileStatus(path: path) != nil else { return false }
        return (try? DurableFile.remove(path, isLasting: false)) != nil
    }

    /// Creates the reserve when it is missing and there is plenty of space. Best effort.
    static func keep(in directory: URL) {
        let path = directory.appending(path: name).path
        guard FileStatus(path: path)?.bytes != Int64(bytes), let free = free(in: directory), free >= ample else { return }
        let files = SystemFiles()
        guard let descriptor = try? files.create(path) else { return }
        defer { files.close(descriptor) }
        do throws(FileFault) {
            try files.reserve(descriptor, bytes: bytes)
        } catch {
            try? files.remove(path)
        }
    }

    private static func free(in directory: URL) -> UInt64? {
        var disk = statvfs()
        guard statvfs(directory.path, &disk) == 0 else { return nil }
        return UInt64(disk.f_bavail) * UInt64(disk.f_frsize)
    }
}
