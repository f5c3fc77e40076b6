import Foundation
import Glibc
import SparkFiles

/// Starts with an empty directory after a database was lost: its leftovers are moved into a folder of their own, not deleted.
enum SetAside {
    static let prefix = "set-aside-"

    /// - Returns: the folder.
    static func move(_ directory: URL) throws -> String {
        var folder = directory.path + "/" + prefix + "\(FileStatus.kernelTime / 1_000_000_000)"
        while FileStatus(path: folder) != nil { folder += "-" }
        try DurableFile.makeDirectory(folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter {
            DirectoryModes.isOurs($0) && !$0.hasPrefix(prefix)
                && !["lock", "backups", "lost+found", SpaceReserve.name].contains($0)
        }
        // Move the marks last: if this is interrupted, the next start refuses again.
        for name in names.filter({ $0 != DirectoryMarks.name }) + [DirectoryMarks.name] {
            guard rename(directory.path + "/" + name, folder + "/" + name) == 0 || errno == ENOENT else {
                throw FileError(operation: "set aside", path: directory.path + "/" + name, fault: FileFault(code: errno))
            }
        }
        do throws(FileFault) {
            try SystemFiles().synchronizeDirectory(folder)
            try SystemFiles().synchronizeDirectory(directory.path)
        } catch {
            throw FileError(operation: "set aside", path: folder, fault: error)
        }
        return folder
    }
}
