import CSparkSystem
import Glibc

/// The identity of a file and the state of its last write.
public struct FileStatus: Sendable, Equatable {
    /// Identifies the file.
    public let identity: FileIdentity
    /// When the content last changed, in nanoseconds since 1970 on the kernel's clock.
    public let modified: Int64
    /// When the content or the metadata last changed, in nanoseconds since 1970. Programs cannot set this back.
    public let changed: Int64
    /// The length in bytes.
    public let bytes: Int64

    /// The status of the file at a path; nil if there is no such file.
    public init?(path: String) {
        var status = spark_file_status()
        guard spark_file_status_at(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The status of an open file; nil if the descriptor is invalid.
    public init?(descriptor: Int32) {
        var status = spark_file_status()
        guard spark_file_status_of(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: spark_file_status) {
        self.identity = FileIdentity(device: status.device, inode: status.inode, born: status.born)
        self.modified = status.modified
        self.changed = status.changed
        self.bytes = status.bytes
    }

    /// The kernel's wall clock, from which file times come, in nanoseconds since 1970.
    public static var kernelTime: Int64 { spark_kernel_time() }

    /// Identifies the machine's current boot; empty if the system does not provide it.
    public static let boot: String = {
        guard let bytes = try? DurableFile.contents(of: "/proc/sys/kernel/random/boot_id", atMost: 256) else { return "" }
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }()
}

/// Distinguishes a file from every copy of it, by its location and creation time.
public struct FileIdentity: Sendable, Equatable, CustomStringConvertible {
    /// The device's number.
    public let device: UInt64
    /// The file's number on the device.
    public let inode: UInt64
    /// The creation time in nanoseconds since 1970; 0 if the filesystem does not store it.
    public let born: Int64

    /// Creates an identity.
    public init(device: UInt64, inode: UInt64, born: Int64) {
        self.device = device
        self.inode = inode
        self.born = born
    }

    /// True if both identify the same file. A disk may get another device number after a reboot, so the number counts only if
    /// `inOneRun` is true: both were read during the same boot.
    public func isSame(as other: FileIdentity, inOneRun: Bool) -> Bool {
        guard inode == other.inode else { return false }
        if born != 0, other.born != 0, born != other.born { return false }
        return !inOneRun || device == other.device
    }

    /// Three numbers, separated by colons.
    public var description: String { "\(device):\(inode):\(born)" }

    /// Reads the text of `description`; nil for any other text.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let device = UInt64(parts[0]), let inode = UInt64(parts[1]), let born = Int64(parts[2]) else {
            return nil
        }
        self.init(device: device, inode: inode, born: born)
    }
}
