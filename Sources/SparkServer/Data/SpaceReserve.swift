import Foundation
import Glibc
import SparkFiles

/// A file that holds a little room on the disk, given up when a server must start on a full one: enough for what a start writes, so that
/// it can serve what is there and refuse what is new.
enum SpaceReserve {
    static let name = "spark.reserve"
    private static let bytes = 1 << 20
    /// Below this the reserve is given up.
    private static let low: UInt64 = 4 << 20
    /// From this on it is made.
    private static let ample: UInt64 = 256 << 20

    /// - Returns: whether it was given up.
    static func releaseIfNeeded(in directory: URL) -> Bool {
        let path = directory.appending(path: name).path
        guard let free = free(in: directory), free < low, FileStatus(path: path) != nil else { return false }
        return (try? DurableFile.remove(path, isLasting: false)) != nil
    }

    /// Makes it where it is missing and there is plenty of room. Best effort.
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
