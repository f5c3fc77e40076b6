public import Foundation
import Glibc
import SparkFiles

/// The folder `spark.backup` of a data directory: parts on their way into a store, and what is known of the last backup. Its lock lets
/// one process at a time make a backup of the directory.
public final class BackupScratch: Sendable {
    /// The name of the folder in a data directory.
    public static let name = "spark.backup"

    /// The folder for files that live as long as this.
    let folder: URL
    private let lock: Int32

    /// Takes the lock, and removes what a process that died left behind.
    /// - Parameter directory: the data directory.
    /// - Throws: `BackupError`; `.unavailable` if another process makes a backup now.
    public init(in directory: URL) throws {
        let folder = directory.appending(path: Self.name, directoryHint: .isDirectory)
        do {
            try DurableFile.makeDirectory(folder.path, isLasting: false)
        } catch {
            throw BackupError.refused("\(error); the user of spark must be able to write to the data directory")
        }
        let path = folder.appending(path: "lock").path
        let lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw BackupError.refused("open \(path): \(FileFault(code: errno))") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw BackupError.unavailable("another backup of \(directory.path) is under way; try again when it has ended")
        }
        self.folder = folder
        self.lock = lock
        sweep()
    }

    deinit {
        sweep()
        flock(lock, LOCK_UN)
        close(lock)
    }

    /// A new file in the folder.
    func file(_ name: String) -> URL { folder.appending(path: "part-\(name.replacing("/", with: "-"))") }

    // MARK: The backup under way

    /// Notes the backup that is being made, so that the next run can remove what a kill leaves of it in the place.
    func begin(_ backup: BackupName, in place: String) {
        // Best effort: without the note a sweep removes it a day later.
        try? DurableFile.replace(underWay, with: Array("\(backup.text)\n\(place)\n".utf8), isLasting: false)
    }

    /// Forgets it: it is complete, or nothing is left of it.
    func end() { unlink(underWay) }

    /// The backup that a process which died was making in a place; nil if there is none.
    func abandoned(in place: String) -> BackupName? {
        guard let bytes = try? DurableFile.contents(of: underWay, atMost: 16_384) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        return lines.count == 2 && lines[1] == "\(place)\n" ? BackupName(lines[0]) : nil
    }

    private var underWay: String { folder.appending(path: "under-way").path }

    private func sweep() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] where name.hasPrefix("part-") {
            unlink(folder.appending(path: name).path)
        }
    }
}
