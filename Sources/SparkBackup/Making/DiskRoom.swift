import Glibc

/// The room on the disk of a directory.
struct DiskRoom: Hashable, Sendable {
    /// What can still be written without special rights, in bytes.
    let free: UInt64
    /// The size of the disk in bytes.
    let size: UInt64

    init(free: UInt64, size: UInt64) { (self.free, self.size) = (free, size) }

    /// Nil if the system does not say.
    init?(of directory: String) {
        var disk = statvfs()
        guard statvfs(directory, &disk) == 0 else { return nil }
        self.init(free: UInt64(disk.f_bavail) * UInt64(disk.f_frsize), size: UInt64(disk.f_blocks) * UInt64(disk.f_frsize))
    }

    /// Five percent: below it the disk counts as full (the alert `DiskFull`).
    var share: UInt64 { size / 20 }
}
