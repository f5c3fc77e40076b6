public import Foundation
import GRDB
import GRDBSQLite

/// Which other process may have the database file open while it is inspected.
public enum DatabaseCompany: Sendable {
    /// No other process. The file and its WAL are read as they are, and no files are created next to them.
    case none
    /// A running server. Its shared memory is used.
    case server
}

/// The state of a database, read without changing it.
public struct DatabaseInspection: Sendable {
    /// The mark of the last run; empty before the first run.
    public var mark = ""
    /// The number of commits; nil if the database does not count them yet.
    public var commits: Int64?
    /// True if a history of events has begun.
    public var hasEpoch = false
    /// True if somebody has registered.
    public var hasPeople = false

    /// True if the database contains anything that would be missed.
    public var isUsed: Bool { !mark.isEmpty || hasEpoch || hasPeople }
}

/// Inspects a database before it is opened, or while another process uses it.
public enum DatabaseInspector {
    /// Reads the state of a database.
    /// - Throws: `StorageOpenError` if the file cannot be read as a database.
    public static func inspect(_ file: URL, company: DatabaseCompany = .none) throws -> DatabaseInspection {
        try reading(file, company: company, hasSpatiaLite: false) { database in
            var found = DatabaseInspection()
            if try database.tableExists("spark_mark") {
                found.mark = try String.fetchOne(database, sql: "SELECT mark FROM spark_mark") ?? ""
            }
            if try database.tableExists("spark_commits") {
                found.commits = try Int64.fetchOne(database, sql: "SELECT commits FROM spark_commits")
            }
            if try database.tableExists("spark_epoch") {
                found.hasEpoch = try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM spark_epoch)") ?? false
            }
            let people = try String.fetchAll(
                database, sql: #"SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%\_users' ESCAPE '\'"#)
            for table in people where !found.hasPeople {
                found.hasPeople =
                    try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM \(table.quotedDatabaseIdentifier))") ?? false
            }
            return found
        }
    }

    /// Describes damaged pages; empty if all pages are sound. Reads the whole file.
    /// - Parameter isDeep: True to also compare every index with its table, which takes several times as long.
    /// - Throws: `StorageOpenError` if the file cannot be read as a database.
    public static func damage(of file: URL, isDeep: Bool, company: DatabaseCompany = .none) throws -> [String] {
        try reading(file, company: company, hasSpatiaLite: true) { database in
            let pragma = isDeep ? "integrity_check" : "quick_check"
            do {
                let faults = try String.fetchAll(database, sql: "PRAGMA \(pragma)(10)")
                if faults == ["ok"] { return [] }
            } catch let error as DatabaseError where SQLError(error).isDamage {
                // The damage stops the check itself, so check table by table.
            }
            let damage = DamageReport.faults(in: SQLSession(database))
            return damage.isEmpty ? ["the pages are damaged"] : damage
        }
    }

    /// The number of rows of every table of the modules, by name.
    /// - Throws: `StorageOpenError` if the file cannot be read as a database.
    public static func rowCounts(of file: URL) throws -> [String: Int64] {
        try reading(file, company: .none, hasSpatiaLite: false) { database in
            let tables = try String.fetchAll(database, sql: PageSnapshot.tables).filter { !PageSnapshot.isInternal($0) }
            var counts: [String: Int64] = [:]
            for table in tables {
                counts[table] = try Int64.fetchOne(database, sql: "SELECT COUNT(*) FROM \(table.quotedDatabaseIdentifier)")
            }
            return counts
        }
    }

    /// The schema steps that a database has, in their order.
    /// - Throws: `StorageOpenError` if the file cannot be read as a database.
    public static func migrations(of file: URL, company: DatabaseCompany = .none) throws -> [String] {
        try reading(file, company: company, hasSpatiaLite: false) { try migrations(in: $0) }
    }

    static func migrations(in database: Database) throws -> [String] {
        guard try database.tableExists("grdb_migrations") else { return [] }
        return try String.fetchAll(database, sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid")
    }

    /// The page at which a table begins; nil if there is no such table.
    /// - Throws: `StorageOpenError` if the file cannot be read as a database.
    public static func rootPage(of table: String, in file: URL) throws -> UInt32? {
        try reading(file, company: .none, hasSpatiaLite: false) { database in
            try UInt32.fetchOne(
                database, sql: "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?", arguments: [table])
        }
    }

    private static func reading<Value>(
        _ file: URL, company: DatabaseCompany, hasSpatiaLite: Bool, _ body: (Database) throws -> Value
    ) throws -> Value {
        do {
            let queue = try open(file, company: company, hasSpatiaLite: hasSpatiaLite)
            // Best effort: a reader that stays open blocks nothing.
            defer { try? queue.close() }
            return try queue.unsafeRead { try $0.inSnapshot(body) }
        } catch let error as DatabaseError {
            throw StorageOpenError(database: error, operation: "read database", path: file.path)
        }
    }

    /// Opens a connection that changes neither the file nor anything next to it.
    static func open(_ file: URL, company: DatabaseCompany, hasSpatiaLite: Bool) throws -> DatabaseQueue {
        var options = Configuration()
        options.label = "spark.inspection"
        options.readonly = true
        options.busyMode = .timeout(5)
        let access = access(to: file, company: company)
        options.prepareDatabase { database in
            // Keeps the WAL's index in this process's memory. Must come before the first read.
            if access == .privateWAL { try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
            if hasSpatiaLite { try SpatiaLite.attach(to: database) }
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        return try DatabaseQueue(path: access.name(of: file), configuration: options)
    }

    private enum Access {
        /// There is no WAL, so the file is complete.
        case immutable
        /// An unclean shutdown left a WAL. It is read without shared memory.
        case privateWAL
        case shared

        /// The file name in the form that SQLite opens (https://www.sqlite.org/uri.html).
        func name(of file: URL) -> String {
            let path = file.path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
            return switch self {
            case .immutable: "file:\(path)?mode=ro&immutable=1"
            // No locks: no other process has the file open, and a file opened for reading cannot get a write lock.
            case .privateWAL: "file:\(path)?mode=ro&vfs=unix-none"
            case .shared: "file:\(path)?mode=ro"
            }
        }
    }

    private static func access(to file: URL, company: DatabaseCompany) -> Access {
        if case .server = company { return .shared }
        let wal = (try? FileManager.default.attributesOfItem(atPath: file.path + "-wal")[.size] as? NSNumber)?.intValue ?? 0
        return wal > 0 ? .privateWAL : .immutable
    }
}

extension Database {
    /// Runs queries in one snapshot and rolls it back, which also works after a page could not be read.
    func inSnapshot<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try execute(sql: "BEGIN DEFERRED")
        // Best effort: nothing was written.
        defer { if isInsideTransaction { try? execute(sql: "ROLLBACK") } }
        return try body(self)
    }
}

extension StorageOpenError {
    /// SQLite's description of a file that it cannot open or read.
    init(_ error: SQLError, operation: String, path: String) {
        let hint =
            switch error.primaryCode {
            case SQLITE_NOTADB: "it is not a SQLite database, or its beginning is destroyed. Restore a copy"
            case SQLITE_CORRUPT: "it is damaged (\(error.message)). \(Self.repair)"
            case SQLITE_FULL: "no space is left on the device (ENOSPC)"
            case SQLITE_READONLY: "it is not writable"
            case SQLITE_CANTOPEN: "it cannot be opened"
            case SQLITE_IOERR: "the disk failed or is full (SQLite error \(error.code))"
            case SQLITE_BUSY: "another program has it locked"
            default: "SQLite error \(error.code)"
            }
        self.init(operation: operation, path: path, hint: hint)
    }

    init(database error: DatabaseError, operation: String, path: String) {
        self.init(SQLError(error), operation: operation, path: path)
    }

    /// The remedy for a damaged database.
    public static let repair =
        "Restore a copy, or save what can be read: sqlite3 spark.db .recover | sqlite3 new.db, then put new.db in its place "
        + "(with the sqlite3 of sqlite.org: that of Debian 12 cannot do .recover)"
}
