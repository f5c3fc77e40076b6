import Foundation
import GRDB
import GRDBSQLite
import SparkFiles

/// Migrates a database to the schema that the program expects. Migrations only go forward; a newer database is refused.
///
/// All missing steps run in one transaction. A step that fails, a full disk and a killed process therefore leave the database as it
/// was, and the program that used it before can start again. The copy that is made first is for going back later, when the steps have
/// succeeded.
struct Migrator {
    let migrations: [Migration]
    let path: String
    /// The directory for the copy of an existing database; nil for databases that need none.
    let backupDirectory: URL?
    let mayMigrate: Bool
    var progress: @Sendable (MigrationProgress) -> Void = { _ in }

    /// The storage's own tables.
    static let kernel: [Migration] = [
        Migration("spark.001_kernel") { session in
            try SpatiaLite.createMetadata(in: session)
            try session.script(
                """
                CREATE TABLE spark_outbox (
                    id INTEGER PRIMARY KEY,
                    topic TEXT NOT NULL,
                    payload BLOB NOT NULL,
                    created_at INTEGER NOT NULL,
                    available_at INTEGER NOT NULL,
                    attempts INTEGER NOT NULL DEFAULT 0
                ) STRICT;
                CREATE INDEX spark_outbox_available ON spark_outbox (available_at);
                CREATE TABLE spark_idempotency (
                    owner TEXT NOT NULL,
                    key TEXT NOT NULL,
                    request_hash BLOB NOT NULL,
                    created_at INTEGER NOT NULL,
                    answer BLOB,
                    PRIMARY KEY (owner, key)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX spark_idempotency_created ON spark_idempotency (created_at);
                """)
        },
        Migration("spark.002_mark") { session in
            try session.script("CREATE TABLE spark_mark (id INTEGER PRIMARY KEY CHECK (id = 1), mark TEXT NOT NULL) STRICT")
        },
        Migration("spark.003_stream") { session in
            try session.script(
                """
                CREATE TABLE spark_inbox (
                    user_id INTEGER NOT NULL,
                    offset INTEGER NOT NULL,
                    type TEXT NOT NULL,
                    subject INTEGER NOT NULL,
                    ordinal INTEGER NOT NULL,
                    members BLOB,
                    created_at INTEGER NOT NULL,
                    PRIMARY KEY (user_id, offset)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE spark_inbox_floors (
                    user_id INTEGER PRIMARY KEY,
                    offset INTEGER NOT NULL
                ) STRICT;
                CREATE TABLE spark_epoch (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    epoch TEXT NOT NULL
                ) STRICT;
                """)
        },
        // Counts commits, which distinguishes a state of the database from an earlier one.
        Migration("spark.004_commits") { session in
            try session.script(
                """
                CREATE TABLE spark_commits (id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL) STRICT;
                INSERT INTO spark_commits (id, commits) VALUES (1, 0);
                """)
        },
        Migration("spark.005_audit") { session in
            // AUTOINCREMENT makes the table remember the highest number, so that lines missing at the end are noticed.
            try session.script(
                """
                CREATE TABLE spark_audit (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT,
                    at INTEGER NOT NULL,
                    actor TEXT NOT NULL,
                    action TEXT NOT NULL,
                    subjects TEXT NOT NULL,
                    previous BLOB NOT NULL,
                    hash BLOB NOT NULL
                ) STRICT;
                CREATE TRIGGER spark_audit_is_not_changed BEFORE UPDATE ON spark_audit
                BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
                CREATE TRIGGER spark_audit_is_not_shortened BEFORE DELETE ON spark_audit
                BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
                """)
        },
        // The user whose tokens a stored answer holds, so that the answer is deleted with the tokens.
        Migration("spark.006_grants") { session in
            try session.script(
                """
                ALTER TABLE spark_idempotency ADD COLUMN holder INTEGER;
                CREATE INDEX spark_idempotency_holder ON spark_idempotency (holder) WHERE holder IS NOT NULL;
                """)
        },
        Migration("spark.007_spatial_triggers") { session in try SpatiaLite.dropMetadataTriggers(in: session) },
    ]

    /// - Returns: The steps that were missing; if `isReadOnly`, they still are.
    func run(on pool: any DatabaseWriter, isReadOnly: Bool = false) throws -> [String] {
        let read: (Database) throws -> Set<String> = { Set(try DatabaseInspector.migrations(in: $0)) }
        // The writer, which is open already.
        let applied = try isReadOnly ? pool.read(read) : pool.writeWithoutTransaction(read)
        try refuseNewer(applied)
        let pending = migrations.filter { !applied.contains($0.id) }
        guard !pending.isEmpty, !isReadOnly else { return pending.map(\.id) }
        guard mayMigrate else {
            throw StorageOpenError(
                operation: "open database", path: path,
                hint: "it is of an older version and another process uses it; stop that one first")
        }
        if try applied.isEmpty && isEmpty(pool) {
            do {
                try run(pending, on: pool)
            } catch let error as FailedStep {
                throw error.cause
            }
            return pending.map(\.id)
        }
        var copy: URL?
        if !applied.isEmpty, let backupDirectory {
            progress(.copying)
            copy = try keepCopy(of: pool, in: backupDirectory, before: pending[0])
        }
        do {
            try run(pending, on: pool)
        } catch {
            throw failure(error, copy: copy)
        }
        return pending.map(\.id)
    }

    private func isEmpty(_ pool: any DatabaseWriter) throws -> Bool {
        try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "SELECT 1 FROM sqlite_schema LIMIT 1") == nil }
    }

    /// Runs steps in one transaction.
    private func run(_ steps: [Migration], on pool: any DatabaseWriter) throws {
        try pool.writeWithoutTransaction { database in
            // A step may replace a table that others refer to (https://www.sqlite.org/lang_altertable.html#otheralter).
            try database.execute(sql: "PRAGMA foreign_keys = OFF")
            defer { try? database.execute(sql: "PRAGMA foreign_keys = ON") }
            try database.inTransaction(.immediate) {
                try database.execute(sql: "CREATE TABLE IF NOT EXISTS grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
                for (index, step) in steps.enumerated() {
                    progress(.step(step.id, number: index + 1, of: steps.count))
                    do {
                        try step.run(SQLSession(database))
                    } catch {
                        throw FailedStep(id: step.id, cause: error)
                    }
                    try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES (?)", arguments: [step.id])
                }
                try checkReferences(in: database)
                return .commit
            }
        }
    }

    /// - Throws: `SQLError` with the tables, and nothing of the rows.
    private func checkReferences(in database: Database) throws {
        guard let row = try Row.fetchOne(database, sql: "PRAGMA foreign_key_check") else { return }
        throw SQLError("rows of \(row["table"] as String) refer to missing rows of \(row["parent"] as String)")
    }

    /// The error for steps that failed. Nothing was changed, so the copy repeats what is there: it is removed, unless the
    /// database or its disk is not well.
    private func failure(_ error: any Error, copy: URL?) -> StorageOpenError {
        let step = (error as? FailedStep).map { "the step \($0.id)" } ?? "the end"
        let cause = (error as? FailedStep)?.cause ?? error
        let found = (cause as? SQLError) ?? (cause as? DatabaseError).map { SQLError($0) }
        let isOfTheFile = found?.isOfTheFile == true
        if let copy, !isOfTheFile { try? DurableFile.remove(copy.path) }
        let reason =
            switch found {
            case let error? where isOfTheFile: StorageOpenError(error, operation: "", path: path).hint
            case let error?: "SQLite error \(error.code), \(error.message)"
            case nil: "\(type(of: cause))"
            }
        return StorageOpenError(
            operation: "upgrade database", path: path,
            hint: "\(step) failed: \(reason). Nothing was changed: start the version of spark that ran before. "
                + (found?.primaryCode == SQLITE_FULL
                    ? "This one needs as much free room as twice the database" : "Try this one later, and report the failure"))
    }

    /// A database is newer if it contains a step that this program does not know, of a module that this program has.
    private func refuseNewer(_ applied: Set<String>) throws {
        let foreign = foreign(in: applied)
        guard let first = foreign.sorted().first else { return }
        throw StorageOpenError(
            operation: "open database", path: path,
            hint: "it was written by a newer spark (it has \(first)). "
                + (wayBack ?? "Use that version, or restore an older backup"))
    }

    private func foreign(in applied: some Collection<String>) -> [String] {
        let known = Set(migrations.map(\.id))
        let modules = Set(migrations.map(\.module))
        return applied.filter { id in !known.contains(id) && modules.contains(String(id.prefix { $0 != "." })) }
    }

    /// How to go back to the newest copy that this program can open; nil if there is none.
    private var wayBack: String? {
        guard let backupDirectory else { return nil }
        let copy = MigrationCopies.newestFirst(in: backupDirectory).first { copy in
            guard let applied = try? DatabaseInspector.migrations(of: copy.file), !applied.isEmpty else { return false }
            return foreign(in: applied).isEmpty
        }
        guard let copy else { return nil }
        let folder = ShellWord.quoted((path as NSString).deletingLastPathComponent)
        let name = ShellWord.quoted("\(backupDirectory.lastPathComponent)/\(copy.file.lastPathComponent)")
        return "Use that version; or go back to the state of \(copy.made), without everything that came since: cd \(folder) && "
            + "mkdir set-aside-newer && mv spark.db* set-aside-newer/ && cp -p \(name) spark.db"
    }

    /// - Returns: the copy.
    private func keepCopy(of pool: any DatabaseWriter, in directory: URL, before step: Migration) throws -> URL {
        do {
            try DurableFile.makeDirectory(directory.path)
            let name = nextName(in: directory, before: step)
            try copy(pool, to: name.path)
            return name
        } catch let error as FileError {
            throw StorageOpenError(operation: "keep a copy before migrating", path: error.path, hint: "\(error.fault)")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL || error.resultCode == .SQLITE_IOERR {
            throw StorageOpenError(
                operation: "keep a copy before migrating", path: directory.path,
                hint: error.resultCode == .SQLITE_FULL
                    ? "the disk is full; it needs as much room as the database has"
                    : "SQLite error \(error.extendedResultCode.rawValue)")
        }
    }

    private func nextName(in directory: URL, before step: Migration) -> URL {
        let name = "\(MigrationCopies.prefix)\(step.id.replacing("/", with: "-"))"
        var copy = directory.appending(path: "\(name).db")
        var number = 1
        while FileManager.default.fileExists(atPath: copy.path) {
            number += 1
            copy = directory.appending(path: "\(name)-\(number).db")
        }
        return copy
    }

    /// The copy gets its final name when it is complete and on the disk.
    private func copy(_ pool: any DatabaseWriter, to path: String) throws {
        let files = SystemFiles()
        let draft = path + ".new"
        do {
            // SQLite writes into an existing empty file and keeps its mode.
            let descriptor = try files.create(draft)
            defer { files.close(descriptor) }
            try pool.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [draft]) }
            try files.synchronize(descriptor)
            try files.rename(draft, to: path)
            try files.synchronizeDirectory((path as NSString).deletingLastPathComponent)
        } catch {
            // Best effort: the next start removes incomplete files.
            try? files.remove(draft)
            if let fault = error as? FileFault { throw FileError(operation: "write", path: path, fault: fault) }
            throw error
        }
    }
}

/// A step that threw.
private struct FailedStep: Error {
    let id: String
    let cause: any Error
}

/// A word as a shell reads it back.
private enum ShellWord {
    static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isPlain ? text : "'\(text.replacing("'", with: "'\\''"))'"
    }
}
