import Foundation
import GRDB
import SparkFiles

/// Migrates a database to the schema that the program expects. Migrations only go forward; a copy is made first; a newer
/// database is refused.
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
        let applied = try pool.read { try DatabaseMigrator(migrations, before: { _ in }).appliedIdentifiers($0) }
        try refuseNewer(applied)
        let pending = migrations.filter { !applied.contains($0.id) }
        guard !pending.isEmpty, !isReadOnly else { return pending.map(\.id) }
        guard mayMigrate else {
            throw StorageOpenError(
                operation: "open database", path: path,
                hint: "it is of an older version and another process uses it; stop that one first")
        }
        if !applied.isEmpty, let backupDirectory {
            progress(.copying)
            try keepCopy(of: pool, in: backupDirectory, before: pending[0])
        }
        let numbers = Dictionary(pending.enumerated().map { ($1.id, $0 + 1) }) { first, _ in first }
        let progress = progress
        try DatabaseMigrator(migrations) { id in
            if let number = numbers[id] { progress(.step(id, number: number, of: numbers.count)) }
        }.migrate(pool)
        return pending.map(\.id)
    }

    /// A database is newer if it contains a step that this program does not know, of a module that this program has.
    private func refuseNewer(_ applied: Set<String>) throws {
        let known = Set(migrations.map(\.id))
        let modules = Set(migrations.map(\.module))
        let foreign = applied.filter { id in !known.contains(id) && modules.contains(String(id.prefix { $0 != "." })) }
        guard let first = foreign.sorted().first else { return }
        throw StorageOpenError(
            operation: "open database", path: path,
            hint: "it was written by a newer spark (it has \(first)); use that version or restore an older backup")
    }

    private func keepCopy(of pool: any DatabaseWriter, in directory: URL, before step: Migration) throws {
        do {
            try DurableFile.makeDirectory(directory.path)
            try copy(pool, to: nextName(in: directory, before: step).path)
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

extension DatabaseMigrator {
    fileprivate init(_ migrations: [Migration], before: @escaping @Sendable (String) -> Void) {
        self.init()
        for migration in migrations {
            registerMigration(migration.id) {
                before(migration.id)
                try migration.run(SQLSession($0))
            }
        }
    }
}
