import Crypto
public import Foundation
import Glibc
import SparkKit
import SparkStorage

/// The directory that holds all that a server keeps. One process at a time owns it, by a lock on the file `lock`.
public final class DataDirectory: Sendable {
    public let url: URL
    /// Removed when the server ends.
    private let isTemporary: Bool
    /// Holds the lock; nil beside a process that has it.
    private let lock: Int32?

    /// Whether this process owns the directory; else it may look and add, but not migrate.
    public var isOwner: Bool { lock != nil }

    /// Opens or creates the directory (mode 0700) and takes the lock.
    /// - Parameter mayShare: whether it is enough to stand beside the process that holds the lock.
    /// - Throws: `StorageOpenError` when another process holds it or it cannot be written.
    public init(path: String, mayShare: Bool = false) throws {
        self.url = URL(filePath: path, directoryHint: .isDirectory).absoluteURL
        self.isTemporary = false
        self.lock = try Self.prepare(url, mayShare: mayShare)
    }

    /// A new directory that goes away with the server.
    public init(temporaryIn parent: URL = FileManager.default.temporaryDirectory) throws {
        self.url = parent.appending(path: "spark-\(getpid())-\(UInt64.random(in: 0 ... .max))", directoryHint: .isDirectory)
        self.isTemporary = true
        self.lock = try Self.prepare(url, mayShare: false)
    }

    private static func prepare(_ url: URL, mayShare: Bool) throws -> Int32? {
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StorageOpenError(operation: "create data directory", path: url.path, hint: "it cannot be created or written")
        }
        let path = url.appending(path: "lock").path
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageOpenError(operation: "open lock", path: path, hint: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            if mayShare { return nil }
            throw StorageOpenError(
                operation: "lock data directory", path: url.path,
                hint: "another spark process uses it; stop that one or choose another directory with --data")
        }
        return descriptor
    }

    public var database: URL { url.appending(path: "spark.db") }
    public var backups: URL { url.appending(path: "backups", directoryHint: .isDirectory) }
    var spill: URL { url.appending(path: "spill", directoryHint: .isDirectory) }
    var portFile: URL { url.appending(path: "spark.port.json") }

    /// Whether there is a database already.
    public var hasDatabase: Bool { FileManager.default.fileExists(atPath: database.path) }

    /// The server's secret; made on first use, readable by the owner only.
    func keys() throws -> ServerKeys {
        let directory = url.appending(path: "keys", directoryHint: .isDirectory)
        let file = directory.appending(path: "server.key")
        if let data = try? Data(contentsOf: file) {
            guard data.count == 32 else {
                throw StorageOpenError(operation: "read server key", path: file.path, hint: "it must hold exactly 32 bytes")
            }
            return ServerKeys(secret: SymmetricKey(data: data))
        }
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let secret = SymmetricKey(size: .bits256)
        let descriptor = open(file.path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageOpenError(operation: "create server key", path: file.path, hint: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        let written = secret.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == 32, fsync(descriptor) == 0 else {
            throw StorageOpenError(operation: "write server key", path: file.path, hint: String(cString: strerror(errno)))
        }
        return ServerKeys(secret: secret)
    }

    /// Remembers under which marks the database may be found from now on: the one it bears, and the one it is about to bear.
    /// - Returns: whether the mark that it bears is one of those remembered, or it bears none yet. If not, it was put here from a copy.
    func note(mark next: String, after current: String) throws -> Bool {
        let file = url.appending(path: "spark.marks")
        let known = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
        do {
            try Data("\(current)\n\(next)\n".utf8).write(to: file, options: .atomic)
        } catch {
            throw StorageOpenError(operation: "write marks", path: file.path, hint: "it cannot be written")
        }
        return current.isEmpty || known.contains(current)
    }

    /// Removes what the cache left on the disk: for whoever changes the database behind the server's back.
    func discardSpill() {
        // What is not there needs no removal; what cannot be removed cannot be read by the next start, either.
        try? FileManager.default.removeItem(at: spill)
    }

    /// Gives the lock back; removes everything if it was temporary.
    public func release() {
        guard let lock else { return }
        try? FileManager.default.removeItem(at: portFile)
        if isTemporary { try? FileManager.default.removeItem(at: url) }
        close(lock)
    }
}

extension DataDirectory {
    /// A new directory in the system's place for temporary files.
    public static func temporary() throws -> DataDirectory {
        try DataDirectory(temporaryIn: FileManager.default.temporaryDirectory)
    }
}
