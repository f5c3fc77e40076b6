import CDispatch
import Foundation
import Glibc
import Logging

/// Makes everything in a data directory readable by its owner only, including files that earlier versions, copying or unpacking
/// left readable by others.
enum DirectoryModes {
    private static let depth = 3
    private static let others: mode_t = 0o077

    /// Whether a server creates entries of this name in its data directory.
    static func isOurs(_ name: String) -> Bool {
        ["lock", "keys", "spill", "backups", "metrics", "matching", "archive", "media", "lost+found"].contains(name)
            || name.contains("spark")
            || name.hasPrefix(SetAside.prefix)
    }

    static func tighten(_ directory: URL, logger: Logger) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        for name in names where isOurs(name) && name != "lost+found" {
            tighten(directory.path + "/" + name, depth: depth, logger: logger)
        }
        guard let mode = mode(of: directory.path), mode & others != 0 else { return }
        // A directory that others also use, such as /tmp, keeps its mode.
        guard mode & S_ISVTX == 0, names.allSatisfy(isOurs) else {
            return logger.warning(
                "others may list the data directory: it also holds files that are not Spark's",
                metadata: ["directory": .string(directory.path)])
        }
        change(directory.path, to: 0o700, logger: logger)
    }

    private static func tighten(_ path: String, depth: Int, logger: Logger) {
        guard depth > 0, let mode = mode(of: path) else { return }
        switch mode & S_IFMT {
        case S_IFDIR:
            if mode & others != 0 { change(path, to: 0o700, logger: logger) }
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
                tighten(path + "/" + name, depth: depth - 1, logger: logger)
            }
        case S_IFREG where mode & others != 0: change(path, to: mode & 0o700, logger: logger)
        default: break
        }
    }

    /// The mode of the entry itself; a link is not followed.
    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : nil
    }

    private static func change(_ path: String, to mode: mode_t, logger: Logger) {
        if chmod(path, mode) != 0 {
            logger.warning(
                "others may read a file of the server, and its mode cannot be changed", metadata: ["path": .string(path)])
        }
    }
}
