import CDispatch
import Foundation
import Glibc
import SparkFiles

/// Removes the temporary data directories of servers that were killed.
enum TemporaryLeftovers {
    /// The age, in nanoseconds, below which a directory's process may not have taken the lock yet.
    private static let youth: Int64 = 600_000_000_000

    static func newName() -> String { "spark-\(getpid())-\(UInt64.random(in: 0 ... .max))" }

    private static let sweep: Void = {
        let parent = FileManager.default.temporaryDirectory
        DispatchQueue.global(qos: .utility).async { sweep(parent) }
    }()

    /// Sweeps in the background, once per process, and only in the system's folder for temporary files.
    static func sweepOnce(in parent: URL) {
        if parent.path == FileManager.default.temporaryDirectory.path { _ = sweep }
    }

    /// Removes the directories that no process has locked and whose process has ended.
    /// - Returns: the number of removed directories.
    @discardableResult
    static func sweep(_ parent: URL) -> Int {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: parent.path) else { return 0 }
        return names.reduce(0) { count, name in
            guard let pid = process(of: name) else { return count }
            return count + (remove(parent.appending(path: name, directoryHint: .isDirectory), of: pid) ? 1 : 0)
        }
    }

    /// The process id in a name that `newName` made; nil for other names.
    private static func process(of name: String) -> pid_t? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "spark", UInt64(parts[2]) != nil, let pid = pid_t(parts[1]), pid > 0 else {
            return nil
        }
        return pid
    }

    private static func remove(_ directory: URL, of pid: pid_t) -> Bool {
        var status = stat()
        // Only directories of this user, and no links.
        guard lstat(directory.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
            return false
        }
        let descriptor = open(directory.appending(path: "lock").path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            // Its process ended before it had a lock.
            guard errno == ENOENT, let made = FileStatus(path: directory.path), FileStatus.kernelTime - made.modified > youth
            else {
                return false
            }
            return (try? FileManager.default.removeItem(at: directory)) != nil
        }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, let lock = FileStatus(descriptor: descriptor) else { return false }
        // The process may run in another container that shares this folder, or its id may belong to another process by now.
        let isGone = kill(pid, 0) != 0 && errno == ESRCH
        guard isGone || FileStatus.kernelTime - lock.modified > youth else { return false }
        return (try? FileManager.default.removeItem(at: directory)) != nil
    }
}
