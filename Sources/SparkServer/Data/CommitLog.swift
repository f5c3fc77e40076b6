import Foundation
import Glibc
import SparkCore
import SparkFiles
import Synchronization

/// The number of the database's commits, kept beside it in `spark.commits`. A database with fewer commits is recognized as an
/// earlier state.
///
/// The file is written in place after each commit, without fsync: what a killed process wrote survives in the page cache. After a
/// power failure the count may be lower than the database's, never higher. The file also contains the time of its write: a file
/// that was copied over this one has file times that differ from that time.
final class CommitLog: Sendable {
    static let name = "spark.commits"
    private static let form: UInt64 = 0x3130_4D43_4B52_5053
    private static let bytes = 40
    /// The accepted difference between the clock reading and the kernel's time for the write, in nanoseconds: a tick or two. A
    /// later record is written again, and after some attempts without a time.
    private static let tolerance: Int64 = 10_000_000
    private static let attempts = 8
    private static let boot = sum(FileStatus.boot)

    private let descriptor: Int32
    private let hasKernelTimes: Bool
    private let count: Atomic<Int64>

    /// The content of a commit log.
    struct Finding: Equatable {
        var commits: Int64
        /// Whether the file's times agree with its content. Only meaningful until the machine reboots.
        var isOriginal: Bool
    }

    /// Opens or creates the file and writes the count.
    init(in directory: URL, commits: Int64) throws {
        let path = directory.appending(path: Self.name).path
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, fault: FileFault(code: errno)) }
        self.descriptor = descriptor
        self.count = Atomic(commits)
        do throws(FileFault) {
            self.hasKernelTimes = try Self.begin(commits, in: descriptor)
        } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
    }

    deinit { close(descriptor) }

    var commits: Int64 { count.load(ordering: .relaxed) }

    /// Records the count. Called after each commit, on the writer's thread.
    func note(_ commits: Int64) {
        count.store(commits, ordering: .relaxed)
        // Best effort: an older count never makes a database look like an earlier state.
        try? write(commits)
    }

    /// Writes the first record, and finds out whether the file's times are the kernel's.
    private static func begin(_ commits: Int64, in descriptor: Int32) throws(FileFault) -> Bool {
        for _ in 0..<attempts {
            let time = FileStatus.kernelTime
            try SystemFiles().writeWhole(descriptor, record(commits, at: time), at: 0)
            if let status = FileStatus(descriptor: descriptor), isWritten(status, at: time) { return true }
        }
        try SystemFiles().writeWhole(descriptor, record(commits, at: 0), at: 0)
        return false
    }

    /// Where the filesystem's clock differs from the kernel's, file times prove nothing, and the record is written without a
    /// time.
    private func write(_ commits: Int64) throws(FileFault) {
        for _ in 0..<Self.attempts where hasKernelTimes {
            let time = FileStatus.kernelTime
            try SystemFiles().writeWhole(descriptor, Self.record(commits, at: time), at: 0)
            // The file's times are the kernel's at the write, which lies between these two.
            if FileStatus.kernelTime.subtractingReportingOverflow(time).partialValue.magnitude < Self.tolerance { return }
        }
        try SystemFiles().writeWhole(descriptor, Self.record(commits, at: 0), at: 0)
    }

    /// Whether a write at `time` was the last change of a file. Copying over the file and restoring its times leaves two
    /// different times.
    private static func isWritten(_ status: FileStatus, at time: Int64) -> Bool {
        status.modified == status.changed
            && status.changed.subtractingReportingOverflow(time).partialValue.magnitude < tolerance
    }

    private static func record(_ commits: Int64, at time: Int64) -> [UInt8] {
        let words = [form, UInt64(bitPattern: commits), UInt64(bitPattern: time), boot]
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.bytes)
        for word in words + [sum(of: words)] { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        return bytes
    }

    /// - Returns: nil when there is no file, or it is incomplete.
    static func read(in directory: URL) -> Finding? {
        let path = directory.appending(path: name).path
        guard let bytes = try? DurableFile.contents(of: path, atMost: Self.bytes), bytes.count == Self.bytes,
            let status = FileStatus(path: path)
        else { return nil }
        let words = (0..<5).map { index in
            bytes[(index * 8)..<(index * 8 + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        guard words[0] == form, words[4] == sum(of: Array(words[..<4])) else { return nil }
        let written = Int64(bitPattern: words[2])
        let isOriginal = words[3] != boot || written == 0 || isWritten(status, at: written)
        return Finding(commits: Int64(bitPattern: words[1]), isOriginal: isOriginal)
    }

    /// The FNV-1a checksum.
    private static func sum(of words: [UInt64]) -> UInt64 {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        for word in words {
            for shift in stride(from: 0, to: 64, by: 8) { sum = (sum ^ (word >> shift & 0xFF)) &* 0x100_0000_01B3 }
        }
        return sum
    }

    private static func sum(_ text: String) -> UInt64 { sum(of: text.utf8.map(UInt64.init)) }
}
