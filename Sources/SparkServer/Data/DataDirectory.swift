import Crypto
public import Foundation
import Glibc
import SparkCore
import SparkFiles
import SparkKit
public import SparkStorage

/// The directory that holds all data of a server. Only one process at a time owns it, by a lock on the file `lock`.
public final class DataDirectory: Sendable {
    private enum Role {
        /// Holds the lock: may do everything.
        case owner(lock: Int32)
        /// Runs beside the owner: may read and write rows, but not migrate.
        case guest
        /// Changes nothing. Holds a shared lock unless another process owns the directory.
        case inspector(lock: Int32?, isBesideOwner: Bool)
    }

    /// The directory's absolute URL.
    public let url: URL
    /// Whether the directory is removed when the server ends.
    let isTemporary: Bool
    private let role: Role

    /// Whether this process owns the directory; otherwise it may read and write rows, but not migrate.
    public var isOwner: Bool { if case .owner = role { true } else { false } }

    /// For a process that changes nothing, which other process has the database open; nil for a process that may write.
    public var readOnly: DatabaseCompany? {
        guard case .inspector(_, let isBesideOwner) = role else { return nil }
        return isBesideOwner ? .server : DatabaseCompany.none
    }

    /// Opens or creates the directory (mode 0700) and takes the lock.
    /// - Parameter mayShare: whether to continue without the lock when another process holds it.
    /// - Throws: `StorageOpenError` when another process holds the lock, or the directory is not writable.
    public init(path: String, mayShare: Bool = false) throws {
        self.url = URL(filePath: path, directoryHint: .isDirectory).absoluteURL
        self.isTemporary = false
        self.role = try Self.prepare(url, mayShare: mayShare, isLasting: true)
    }

    /// Creates a directory that is removed with the server.
    public init(temporaryIn parent: URL = FileManager.default.temporaryDirectory) throws {
        self.url = parent.appending(path: TemporaryLeftovers.newName(), directoryHint: .isDirectory)
        self.isTemporary = true
        self.role = try Self.prepare(url, mayShare: false, isLasting: false)
        TemporaryLeftovers.sweepOnce(in: parent)
    }

    /// Opens an existing directory for inspection: nothing in it is created or changed, even when no server runs.
    public init(inspecting path: String) throws {
        let url = URL(filePath: path, directoryHint: .isDirectory).absoluteURL
        self.url = url
        self.isTemporary = false
        do throws(FileFault) {
            let folder = Int32(try FileFault.check { Int(open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) })
            close(folder)
        } catch {
            throw StorageOpenError(operation: "open data directory", path: url.path, hint: "\(error); name another with --data")
        }
        // The check reports anything here that is not a file; opening a pipe would block.
        let hasLock = DirectoryEntries.fault(of: "lock", in: url) == nil
        let descriptor = hasLock ? open(url.appending(path: "lock").path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1
        guard descriptor >= 0 else {
            self.role = .inspector(lock: nil, isBesideOwner: false)
            return
        }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
            self.role = .inspector(lock: descriptor, isBesideOwner: false)
        } else {
            close(descriptor)
            self.role = .inspector(lock: nil, isBesideOwner: true)
        }
    }

    private static func prepare(_ url: URL, mayShare: Bool, isLasting: Bool) throws -> Role {
        do {
            try DurableFile.makeDirectory(url.path, isLasting: isLasting)
        } catch {
            throw StorageOpenError(operation: "create data directory", path: url.path, hint: "\(error.fault)")
        }
        if let fault = DirectoryEntries.fault(of: "lock", in: url) {
            throw StorageOpenError(operation: "open data directory", path: url.path, hint: fault)
        }
        let path = url.appending(path: "lock").path
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw StorageOpenError(operation: "open lock", path: path, hint: "\(FileFault(code: errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let fault = FileFault(code: errno)
            close(descriptor)
            guard fault.code == EWOULDBLOCK else {
                throw StorageOpenError(operation: "lock data directory", path: path, hint: "\(fault)")
            }
            if mayShare { return .guest }
            throw StorageOpenError(
                operation: "lock data directory", path: url.path,
                hint: "another spark process uses it; stop that one or choose another directory with --data")
        }
        return .owner(lock: descriptor)
    }

    /// The database file, `spark.db`.
    public var database: URL { url.appending(path: "spark.db") }
    /// The folder of the backups.
    public var backups: URL { url.appending(path: "backups", directoryHint: .isDirectory) }
    /// The folder for what is on its way to the archive.
    var archive: URL { url.appending(path: "archive", directoryHint: .isDirectory) }
    var spill: URL { url.appending(path: "spill", directoryHint: .isDirectory) }
    private var portFile: URL { url.appending(path: "spark.port.json") }
    private var keyFolder: URL { url.appending(path: "keys", directoryHint: .isDirectory) }
    var keyFile: URL { keyFolder.appending(path: "server.key") }

    /// Whether the database file exists.
    public var hasDatabase: Bool { FileManager.default.fileExists(atPath: database.path) }

    /// Whether the database file exists, but is empty.
    public var isEmptied: Bool { hasDatabase && !hasContent }

    /// Whether the database file has content.
    ///
    /// SQLite treats a file shorter than its smallest page as an empty database.
    var hasContent: Bool { (FileStatus(path: database.path)?.bytes ?? 0) >= 512 }

    /// Whether a server has used this directory before, even if its marks are gone.
    var hasTraces: Bool {
        [CommitLog.name, "audit.head"].contains { FileStatus(path: url.appending(path: $0).path) != nil }
    }

    /// The server's secret, readable by the owner only; created when it is missing.
    /// - Parameter mayMake: whether a new secret loses nothing that was signed or sealed with another one.
    func keys(mayMake: Bool) throws -> ServerKeys {
        let path = keyFile.path
        do {
            let found = try DurableFile.contents(of: path, atMost: 4_096)
            if let found, found.count == ServerSecret.bytes { return ServerKeys(secret: SymmetricKey(data: found)) }
            if readOnly != nil { return ServerKeys(secret: SymmetricKey(size: .bits256)) }
            guard mayMake else {
                throw StorageOpenError(
                    operation: "read server key", path: path,
                    hint: (found == nil ? "it is gone" : "it must hold exactly \(ServerSecret.bytes) bytes")
                        + ", although this directory was in use. Restore it from a copy, or start spark serve --new-key once: "
                        + "everybody must then sign in again")
            }
            let secret = SymmetricKey(size: .bits256)
            try DurableFile.makeDirectory(keyFolder.path, isLasting: !isTemporary)
            try DurableFile.replace(path, with: secret.withUnsafeBytes { Array($0) }, isLasting: !isTemporary)
            return ServerKeys(secret: secret)
        } catch let error as FileError {
            throw StorageOpenError(operation: "\(error.operation) server key", path: error.path, hint: "\(error.fault)")
        }
    }

    /// Whether the server's secret exists and is complete.
    var hasKey: Bool { FileStatus(path: keyFile.path)?.bytes == Int64(ServerSecret.bytes) }

    /// Removes what the last server derived from the database for the next one: the cache's spill files and the saved index of
    /// people. Called by code that changes the database without a running server.
    func discardDerived() {
        for folder in [spill, url.appending(path: "matching", directoryHint: .isDirectory)] {
            // A missing folder needs no removal; a folder that cannot be removed cannot be read by the next start either.
            try? FileManager.default.removeItem(at: folder)
        }
    }

    /// Releases the lock at once. Closing alone would leave it to a child process that has just been made and still has a copy of the
    /// descriptor.
    private static func unlock(_ lock: Int32) {
        flock(lock, LOCK_UN)
        close(lock)
    }

    /// Releases the lock. Removes the directory if it is temporary.
    public func release() {
        switch role {
        case .owner(let lock):
            try? DurableFile.remove(portFile.path, isLasting: false)
            if isTemporary { try? FileManager.default.removeItem(at: url) }
            Self.unlock(lock)
        case .inspector(let lock?, _): Self.unlock(lock)
        case .inspector, .guest: break
        }
    }
}

private enum ServerSecret {
    static let bytes = 32
}

extension DataDirectory {
    /// A new directory in the system's folder for temporary files.
    public static func temporary() throws -> DataDirectory {
        try DataDirectory(temporaryIn: FileManager.default.temporaryDirectory)
    }
}

extension DataDirectory {
    /// Takes over the database and the key of a folder that another server prepared for this one.
    /// - Throws: `StorageOpenError`.
    public func takeOver(_ folder: String) throws {
        let files = SystemFiles()
        do {
            try DurableFile.makeDirectory(keyFile.deletingLastPathComponent().path, isLasting: false)
            for file in [database, keyFile, url.appending(path: "audit.head")] {
                let source = "\(folder)/\(file.lastPathComponent)"
                guard FileStatus(path: source) != nil else { continue }
                try files.rename(source, to: file.path)
            }
        } catch {
            throw StorageOpenError(operation: "take over", path: folder, hint: "\(error)")
        }
    }

    /// Writes `spark.port.json`: the running server's addresses and process id. Replaced atomically, removed by a clean stop.
    func writePortFile(_ listening: Listening) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("url", listening.url)
            writer.field("port", listening.port)
            if let url = listening.operatorURL { writer.field("operator_url", url) }
            if let url = listening.redirectURL { writer.field("redirect_url", url) }
            // Only an ephemeral server has this token, which dies with it; only its owner can read the directory.
            if let token = listening.adminToken { writer.field("admin_token", token) }
            writer.field("pid", Int(ProcessInfo.processInfo.processIdentifier))
        }
        // Best effort: a convenience for `spark health` and scripts.
        try? DurableFile.replace(portFile.path, with: writer.bytes, isLasting: !isTemporary)
    }
}
