import CSparkSystem
import Glibc

/// What identifies a file, and how it looked when it was last written.
public struct FileStatus: Sendable, Equatable {
    public let identity: FileIdentity
    /// Nanoseconds since 1970 by the kernel's clock.
    public let modified: Int64
    /// The same of the last change to the file or to what is known of it; nobody can set this back.
    public let changed: Int64
    public let bytes: Int64

    /// Nil where there is no such file.
    public init?(path: String) {
        var status = spark_file_status()
        guard spark_file_status_at(path, &status) == 0 else { return nil }
        self.init(status)
    }

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

    /// The kernel's wall clock: the clock that file times come from. Nanoseconds since 1970.
    public static var kernelTime: Int64 { spark_kernel_time() }

    /// Names this run of the machine; empty where the system does not tell.
    public static let boot: String = {
        guard let bytes = try? DurableFile.contents(of: "/proc/sys/kernel/random/boot_id", atMost: 256) else { return "" }
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }()
}

/// Tells a file from every copy of it: where it is and when it was made.
public struct FileIdentity: Sendable, Equatable, CustomStringConvertible {
    public let device: UInt64
    public let inode: UInt64
    /// Nanoseconds since 1970; 0 where the filesystem keeps none.
    public let born: Int64

    public init(device: UInt64, inode: UInt64, born: Int64) {
        self.device = device
        self.inode = inode
        self.born = born
    }

    /// Whether both are one file. A disk may get another number when the machine starts anew, so that counts only within one run.
    public func isSame(as other: FileIdentity, inOneRun: Bool) -> Bool {
        guard inode == other.inode else { return false }
        if born != 0, other.born != 0, born != other.born { return false }
        return !inOneRun || device == other.device
    }

    /// Three numbers, parted by colons.
    public var description: String { "\(device):\(inode):\(born)" }

    /// What `description` gave; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let device = UInt64(parts[0]), let inode = UInt64(parts[1]), let born = Int64(parts[2]) else {
            return nil
        }
        self.init(device: device, inode: inode, born: born)
    }
}
