import Foundation
import Glibc
import SparkFiles

/// The folder beside a new data directory in which it is made.
final class RestorationScratch: Sendable {
    private static let prefix = ".spark-restore-"

    /// What becomes the data directory.
    let data: URL
    private let scratch: ScratchFolder
    private let target: URL

    /// Creates the folder, and removes those of processes that died.
    /// - Throws: `BackupError`, `FileError`.
    init(for target: URL) throws {
        try Self.refuse(target)
        let scratch = try ScratchFolder(in: target.deletingLastPathComponent(), prefix: Self.prefix)
        let data = scratch.url.appending(path: "data", directoryHint: .isDirectory)
        try DurableFile.makeDirectory(data.path)
        (self.data, self.scratch, self.target) = (data, scratch, target)
    }

    /// - Throws: `BackupError` unless the target is absent or an empty directory.
    private static func refuse(_ target: URL) throws {
        var status = stat()
        guard lstat(target.path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw BackupError.refused("\(target.path) is not a directory; name a new one with --data")
        }
        guard (try? FileManager.default.contentsOfDirectory(atPath: target.path))?.isEmpty == true else {
            throw BackupError.refused("\(target.path) is not empty, and nothing is overwritten; name a new directory with --data")
        }
        var parent = stat()
        if stat(target.deletingLastPathComponent().path, &parent) == 0, parent.st_dev != status.st_dev {
            throw BackupError.refused(
                "\(target.path) is where a disk is mounted, and a directory cannot be renamed to it; name a folder below it with --data"
            )
        }
    }

    /// Removes the folders of processes that died.
    static func sweep(_ parent: URL) { ScratchFolder.sweep(parent, prefix: prefix) }

    /// The folder for everything but the data.
    var folder: URL { scratch.url }

    /// A new file in the folder.
    func file(_ name: String) -> URL { folder.appending(path: "part-\(name.replacing("/", with: "-"))") }

    /// Renames the data directory to its place. Everything is on the disk by then.
    /// - Throws: `FileError`.
    func putInPlace() throws {
        do throws(FileFault) {
            let files = SystemFiles()
            for case let entry as URL in FileManager.default.enumerator(at: data, includingPropertiesForKeys: nil) ?? .init() {
                if entry.hasDirectoryPath { try files.synchronizeDirectory(entry.path) }
            }
            try files.synchronizeDirectory(data.path)
            // Fails if something came into the target meanwhile.
            try files.rename(data.path, to: target.path)
            try files.synchronizeDirectory(target.deletingLastPathComponent().path)
        } catch {
            throw FileError(operation: "rename to", path: target.path, fault: error)
        }
    }

    /// Removes the folder with all that is left in it.
    func remove() { scratch.remove() }
}
