public import Foundation
import GRDB
import GRDBSQLite

/// Who else may have the database file open while it is only read.
public enum DatabaseCompany: Sendable {
    /// Nobody: the file and its WAL are read as they are, and nothing is made beside them.
    case none
    /// A server that runs: its shared memory is used.
    case server
}

/// What a database says of its state, read without changing a byte of it.
public struct DatabaseInspection: Sendable {
    /// The mark of the last run; empty before the first.
    public var mark = ""
    /// Commits so far; nil in one that does not count them yet.
    public var commits: Int64?
    /// Whether a history of events began in it.
    public var hasEpoch = false
    /// Whether somebody registered.
    public var hasPeople = false

    /// Whether anything in it would be missed.
    public var isUsed: Bool { !mark.isEmpty || hasEpoch || hasPeople }
}

/// Looking at a database before it is opened, and while somebody else has it.
public enum DatabaseInspector {
    /// - Throws: `StorageOpenError` for a file that cannot be read as a database.
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

    /// What is wrong with the file's pages; empty when they are sound.
    /// - Parameter isDeep: also compares every index with its table, which takes several times as long.
    public static func damage(of file: URL, isDeep: Bool, company: DatabaseCompany = .none) throws -> [String] {
        try reading(file, company: company, hasSpatiaLite: true) { database in
            let pragma = isDeep ? "integrity_check" : "quick_check"
            do {
                let faults = try String.fetchAll(database, sql: "PRAGMA \(pragma)(10)")
                if faults == ["ok"] { return [] }
            } catch let error as DatabaseError where SQLError(error).isDamage {
                // The damage is in the way of the check itself; what follows asks table by table.
            }
            let damage = DamageReport.faults(in: SQLSession(database))
            return damage.isEmpty ? ["the pages are damaged"] : damage
        }
    }

    private static func reading<Value>(
        _ file: URL, company: DatabaseCompany, hasSpatiaLite: Bool, _ body: (Database) throws -> Value
    ) throws -> Value {
        do {
            let queue = try open(file, company: company, hasSpatiaLite: hasSpatiaLite)
            // Best effort: a reader that stays open holds nothing up.
            defer { try? queue.close() }
            return try queue.unsafeRead { try $0.inSnapshot(body) }
        } catch let error as DatabaseError {
            throw StorageOpenError(database: error, operation: "read database", path: file.path)
        }
    }

    /// A connection that changes no byte of the file nor of anything beside it.
    static func open(_ file: URL, company: DatabaseCompany, hasSpatiaLite: Bool) throws -> DatabaseQueue {
        var options = Configuration()
        options.label = "spark.inspection"
        options.readonly = true
        options.busyMode = .timeout(5)
        let access = access(to: file, company: company)
        options.prepareDatabase { database in
            // Keeps the WAL's index in this process's memory; must come before the first read.
            if access == .privateWAL { try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
            if hasSpatiaLite { try SpatiaLite.attach(to: database) }
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        return try DatabaseQueue(path: access.name(of: file), configuration: options)
    }

    private enum Access {
        /// No WAL: the file is all there is.
        case immutable
        /// A WAL that an unclean end left, read without shared memory.
        case privateWAL
        case shared

        /// The file as SQLite is to open it (https://www.sqlite.org/uri.html).
        func name(of file: URL) -> String {
            let path = file.path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
            return switch self {
            case .immutable: "file:\(path)?mode=ro&immutable=1"
            // No locks: nobody else has the file, and a lock to write cannot be had on one that is open for reading.
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
    /// Runs queries in one snapshot and gives it up, which works also when a page could not be read.
    func inSnapshot<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try execute(sql: "BEGIN DEFERRED")
        // Best effort: nothing was written.
        defer { if isInsideTransaction { try? execute(sql: "ROLLBACK") } }
        return try body(self)
    }
}

extension StorageOpenError {
    /// What SQLite says of a file that it cannot open or read.
    init(_ error: SQLError, operation: String, path: String) {
        let hint =
            switch error.primaryCode {
            case SQLITE_NOTADB: "it is no SQLite database, or its beginning is destroyed. Put a copy back"
            case SQLITE_CORRUPT: "it is damaged (\(error.message)). \(Self.repair)"
            case SQLITE_FULL: "no space is left on the device (ENOSPC)"
            case SQLITE_READONLY: "it may not be written"
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

    /// What helps when a database is damaged.
    public static let repair =
        "Put a copy back, or save what can be read: sqlite3 spark.db .recover | sqlite3 new.db, then put new.db in its place"
}
