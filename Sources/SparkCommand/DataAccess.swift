import Foundation
import Glibc
import Spark

/// Checks that this user can work with an existing data directory.
enum DataAccess {
    /// - Throws: `StorageOpenError` with the path, the reason and the next step. The next step differs between a directory that
    ///   lost its database and one that never had one.
    static func check(_ directory: String) throws {
        let database = "\(directory)/spark.db"
        var status = stat()
        guard stat(database, &status) == 0 || errno == ENOENT else { throw refusal(directory, database, errno) }
        let look = try DataDirectory(inspecting: directory)
        let loss = Result { try look.findDatabase() }
        look.release()
        if let loss = try loss.get() { throw StorageOpenError(operation: "open data directory", path: directory, hint: loss) }
        guard access(database, R_OK | W_OK) == 0, access(directory, R_OK | W_OK | X_OK) == 0 else {
            throw refusal(directory, database, errno)
        }
    }

    private static func refusal(_ directory: String, _ database: String, _ code: Int32) -> StorageOpenError {
        switch code {
        case EACCES, EPERM, EROFS:
            let user = DataOwner.name(of: geteuid())
            guard DataOwner.owner(of: directory) != geteuid() else {
                return StorageOpenError(
                    operation: "open data directory", path: database, hint: "the user \(user) has no right to use it")
            }
            let owner =
                DataOwner.owner(of: directory).map { "run spark as the user \(DataOwner.name(of: $0)), who owns it" }
                ?? "run spark as the user who owns it"
            return StorageOpenError(
                operation: "open data directory", path: directory,
                hint: "the user \(user) has no right to use it; \(owner), or as root, or name another with --data")
        default:
            return StorageOpenError(
                operation: "open data directory", path: database,
                hint: "\(String(cString: strerror(code))); name a directory with --data")
        }
    }
}
