public import Foundation
import Glibc
import SparkFiles

/// A folder for work in progress. Its lock shows that the process which made it lives; the next process that makes one of the same kind
/// in the same place removes those of processes that died.
public final class ScratchFolder: Sendable {
    /// The folder.
    public let url: URL
    private let lock: Int32

    /// The age below which a folder without a lock may have just been made, in nanoseconds.
    private static let youth: Int64 = 600_000_000_000
    /// The age, in nanoseconds, beyond which a process that is there has taken the lock; one of another container cannot be seen.
    private static let moment: Int64 = 200_000_000

    /// Creates the folder and what is missing of its place.
    /// - Parameter prefix: of its name; says what kind of work it is for.
    /// - Throws: `FileError`.
    public init(in parent: URL, prefix: String) throws {
        try DurableFile.makeDirectory(parent.path)
        Self.sweep(parent, prefix: prefix)
        let url = parent.appending(path: "\(prefix)\(getpid())-\(UInt32.random(in: 0 ... .max))", directoryHint: .isDirectory)
        try DurableFile.makeDirectory(url.path)
        let path = url.appending(path: "lock").path
        let lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw FileError(operation: "lock", path: path, fault: FileFault(code: errno))
        }
        (self.url, self.lock) = (url, lock)
    }

    deinit { close(lock) }

    /// Removes the folders of one kind whose processes died. Blocks.
    public static func sweep(_ parent: URL, prefix: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? [] where name.hasPrefix(prefix) {
            let folder = parent.appending(path: name, directoryHint: .isDirectory)
            let lock = open(folder.appending(path: "lock").path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            guard lock >= 0 else {
                // Without a lock it was just made, or its process died at that very moment.
                guard let status = FileStatus(path: folder.path) else { continue }
                let age = FileStatus.kernelTime - status.changed
                guard age > youth || age > moment && isGone(name.dropFirst(prefix.count)) else { continue }
                try? FileManager.default.removeItem(at: folder)
                continue
            }
            defer { close(lock) }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { continue }
            try? FileManager.default.removeItem(at: folder)
        }
    }

    /// Whether no process has the number in the rest of a name.
    private static func isGone(_ rest: Substring) -> Bool {
        guard let pid = rest.split(separator: "-").first.flatMap({ pid_t($0) }), pid > 0 else { return false }
        return kill(pid, 0) != 0 && errno == ESRCH
    }

    /// Removes the folder with all that is left in it.
    public func remove() { try? FileManager.default.removeItem(at: url) }
}
