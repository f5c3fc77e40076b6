import Foundation
import Glibc
import Spark
import Synchronization

/// Makes a process of root the owner of the data directory, so that nothing in it, or in the place of the backups, ever
/// belongs to root: the server could not open it any more.
enum DataOwner {
    /// The user that this process became; nil if it stayed who it was.
    private static let user = Mutex<String?>(nil)
    /// One of them is in a directory that was used.
    private static let contents = ["spark.db", "lock", "spark.marks"]

    /// Becomes the owner of a directory for good, if this process is root's and the directory another user's. The environment stays
    /// as it is. All threads of the process change (nptl(7)).
    /// - Throws: `StorageOpenError` when the system refuses, or the owner cannot reach the directory.
    static func become(ownerOf directory: String) throws {
        var status = stat()
        guard geteuid() == 0, stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid != 0 else {
            return
        }
        let (owner, known) = (status.st_uid, getpwuid(status.st_uid))
        let group = known?.pointee.pw_gid ?? status.st_gid
        let name = known.map { String(cString: $0.pointee.pw_name) }
        // The groups first: afterwards the right to change them is gone.
        let isDone =
            (name.map { initgroups($0, group) == 0 } ?? (setgroups(1, [group]) == 0)) && setgid(group) == 0
            && setuid(owner) == 0
        guard isDone, geteuid() == owner, getuid() == owner, getegid() == group, setuid(0) != 0 else {
            throw StorageOpenError(
                operation: "open data directory", path: directory,
                hint: "it belongs to \(self.name(of: owner)), and the system does not let root become that user here; "
                    + "run spark as \(self.name(of: owner))")
        }
        user.withLock { $0 = self.name(of: owner) }
        guard access(directory, X_OK) == 0 else {
            throw StorageOpenError(
                operation: "open data directory", path: directory,
                hint: "it belongs to \(self.name(of: owner)), who may not search a folder above it: "
                    + String(cString: strerror(errno)))
        }
    }

    /// What an operator should know about a refusal of the system, when this process gave up the rights of root; nil otherwise.
    static func remark(on text: String) -> String? {
        guard text.contains("(EACCES)") || text.contains("Permission denied"), let name = user.withLock({ $0 }) else {
            return nil
        }
        return
            "it was tried as the user \(name), the owner of the data, as the server would do it; give that user the right to it"
    }

    /// What to do about a path that this user has no right to; nil if that is not the reason.
    static func advice(on path: String) -> String? {
        let me = geteuid()
        guard me != 0 else { return nil }
        var place = absolute(path)
        // From the path up, as far as this user can see.
        var entries: [(path: String, owner: uid_t)] = []
        while place != "/" {
            if let owner = owner(of: place) { entries.append((place, owner)) }
            place = URL(filePath: place).deletingLastPathComponent().path
        }
        guard let stranger = entries.firstIndex(where: { $0.owner != me }) else { return nil }
        let (found, owner) = entries[stranger]
        // A directory of this user with something of another in it.
        let own = entries[stranger...].filter { $0.owner == me }.map(\.path)
        if let directory = own.first(where: isUsed) ?? (own.isEmpty ? nil : found) {
            return "\(found) belongs to \(name(of: owner)): chown -R \(name(of: me)): \(directory)"
        }
        // What a process of root could not do elsewhere is explained by `remark`.
        guard stranger == 0 || entries.first?.path != absolute(path), user.withLock({ $0 }) == nil else { return nil }
        return "\(found) belongs to \(name(of: owner)): run spark as \(owner == 0 ? "root" : "\(name(of: owner)), or as root")"
    }

    private static func isUsed(_ directory: String) -> Bool {
        contents.contains { FileManager.default.fileExists(atPath: "\(directory)/\($0)") }
    }

    private static func absolute(_ path: String) -> String { URL(filePath: path).absoluteURL.standardizedFileURL.path }

    static func owner(of path: String) -> uid_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_uid : nil
    }

    /// The name of a user, or the number of one without a name.
    static func name(of user: uid_t) -> String {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "\(user)"
    }
}
