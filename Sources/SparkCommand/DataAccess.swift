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
            let owner =
                owner(of: directory).map { "run spark as the user \($0), who owns it" } ?? "run spark as the user who owns it"
            return StorageOpenError(
                operation: "open data directory", path: directory,
                hint: "the user \(name(of: geteuid())) has no right to use it; \(owner), or name another with --data")
        default:
            return StorageOpenError(
                operation: "open data directory", path: database,
                hint: "\(String(cString: strerror(code))); name a directory with --data")
        }
    }

    private static func owner(of path: String) -> String? {
        var status = stat()
        return stat(path, &status) == 0 ? name(of: status.st_uid) : nil
    }

    private static func name(of user: uid_t) -> String {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "\(user)"
    }
}
