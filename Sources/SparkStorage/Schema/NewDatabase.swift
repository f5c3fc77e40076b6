import Foundation
import GRDB
import Glibc
import SparkFiles

/// A new database as the bytes of its file: what the migrations make on an empty database. A server is ready several times sooner with it
/// than with all migrations.
public struct NewDatabase: Sendable {
    /// The identifiers of the migrations whose result the file is.
    public let migrations: [String]
    private let file: @Sendable () -> UnsafeRawBufferPointer

    /// - Parameters:
    ///   - migrations: The identifiers of the migrations.
    ///   - file: The bytes, which are never freed.
    public init(migrations: [String], file: @escaping @Sendable () -> UnsafeRawBufferPointer) {
        (self.migrations, self.file) = (migrations, file)
    }

    /// Puts the file in the place of a database that does not exist yet, or is empty, as a whole.
    /// - Parameter isDurable: Waits for the disk.
    /// - Returns: Whether it did; false if there is a database, or if the file has a migration that is not known.
    func begin(_ path: String, known: Set<String>, isDurable: Bool) throws(FileError) -> Bool {
        guard (FileStatus(path: path)?.bytes ?? 0) == 0, FileStatus(path: "\(path)-wal") == nil, known.isSuperset(of: migrations)
        else { return false }
        let files = SystemFiles()
        let draft = "\(path).new"
        do {
            let descriptor = try files.create(draft)
            defer { files.close(descriptor) }
            try files.writeWhole(descriptor, file(), at: 0)
            if isDurable { try files.synchronize(descriptor) }
            try files.rename(draft, to: path)
            if isDurable { try files.synchronizeDirectory((path as NSString).deletingLastPathComponent) }
            return true
        } catch {
            // Best effort: the next start writes over it.
            try? files.remove(draft)
            throw FileError(operation: "write", path: path, fault: error)
        }
    }
}

extension SQLiteStorage {
    /// Writes a copy that new databases can begin with. Blocks.
    /// - Throws: the failure of SQLite or of the disk.
    package func writeNewDatabase(to path: String) throws {
        try pool.writeWithoutTransaction { database in
            // Its rows hold times.
            try database.execute(sql: "DELETE FROM spatialite_history")
            try database.execute(sql: "VACUUM INTO ?", arguments: [path])
        }
        let descriptor = Glibc.open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, fault: FileFault(code: errno)) }
        defer { Glibc.close(descriptor) }
        // The header's versions for writing and reading, 2 for a write-ahead log (https://www.sqlite.org/fileformat2.html).
        do { try SystemFiles().writeWhole(descriptor, [2, 2], at: 18) } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
    }
}
