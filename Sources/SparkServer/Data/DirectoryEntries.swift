import CDispatch
import Foundation
import Glibc
import SparkBackup
import SparkStorage

/// Finds entries of a data directory that have one of the server's names, but not the type that the server creates.
enum DirectoryEntries {
    /// Files that every server rewrites; a symbolic link would redirect its writes.
    private static let ownFiles = [
        "lock", CommitLog.name, DirectoryMarks.name, "audit.head", "spark.reserve", "spark.unfinished", "spark.port.json",
        ErasureFile.name,
    ]
    /// Files that may be links to where an operator keeps them.
    private static let files = ["spark.db", "keys/server.key"]
    private static let folders = ["keys", "spill", "backups", "metrics", "matching", "archive", BackupScratch.name]

    /// One sentence for each fault, with its remedy; empty when all is in order.
    static func faults(in directory: URL) -> [String] {
        ownFiles.compactMap { fault(of: $0, in: directory) } + others(in: directory)
    }

    /// The same for one of the server's own files.
    static func fault(of name: String, in directory: URL) -> String? {
        guard let mode = mode(directory.appending(path: name).path, followsLinks: false), mode != S_IFREG else { return nil }
        return "\(name): it is \(word(mode)), not a file; move it away, the next start creates it again"
    }

    private static func others(in directory: URL) -> [String] {
        let files = files.compactMap { name -> String? in
            guard let mode = mode(directory.appending(path: name).path, followsLinks: true), mode != S_IFREG else { return nil }
            return "\(name): it is \(word(mode)), not a file; restore the file from a copy"
        }
        let folders = folders.compactMap { name -> String? in
            guard let mode = mode(directory.appending(path: name).path, followsLinks: true), mode != S_IFDIR else { return nil }
            return "\(name): it is \(word(mode)), not a folder; move it away"
        }
        return files + folders
    }

    /// The type of the entry at a path; nil when there is none. A dangling link counts as a link.
    private static func mode(_ path: String, followsLinks: Bool) -> mode_t? {
        var status = stat()
        if followsLinks, stat(path, &status) == 0 { return status.st_mode & S_IFMT }
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private static func word(_ mode: mode_t) -> String {
        switch mode {
        case S_IFDIR: "a folder"
        case S_IFLNK: "a symbolic link"
        case S_IFIFO: "a named pipe"
        case S_IFSOCK: "a socket"
        case S_IFREG: "a file"
        default: "a device"
        }
    }
}

extension DataDirectory {
    /// - Throws: `StorageOpenError` that names the entry in the way.
    func refuseMisplaced() throws {
        guard let fault = DirectoryEntries.faults(in: url).first else { return }
        throw StorageOpenError(operation: "open data directory", path: url.path, hint: fault)
    }
}
