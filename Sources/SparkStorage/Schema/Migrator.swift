import Foundation
import GRDB

/// Brings a database to the schema that the code expects: forward only, a copy kept, a newer one refused.
struct Migrator {
    let migrations: [Migration]
    let path: String
    /// Where the copy goes before an existing database is changed; nil for databases nobody will miss.
    let backupDirectory: URL?
    let mayMigrate: Bool

    /// The store's own tables.
    static let kernel: [Migration] = [
        Migration("spark.001_kernel") { database in
            try SpatiaLite.createMetadata(in: database)
            try database.execute(
                sql: """
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
        Migration("spark.002_mark") { database in
            try database.execute(
                sql: "CREATE TABLE spark_mark (id INTEGER PRIMARY KEY CHECK (id = 1), mark TEXT NOT NULL) STRICT")
        },
        Migration("spark.003_stream") { database in
            try database.execute(
                sql: """
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
        Migration("spark.004_audit") { database in
            // AUTOINCREMENT: the table remembers the highest number, so that lines missing at the end are noticed.
            try database.execute(
                sql: """
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
    ]

    func run(on pool: DatabasePool) throws {
        var migrator = DatabaseMigrator()
        for migration in migrations { migrator.registerMigration(migration.id) { try migration.run($0) } }
        let applied = try pool.read { try migrator.appliedIdentifiers($0) }
        try refuseNewer(applied)
        let pending = migrations.filter { !applied.contains($0.id) }
        guard !pending.isEmpty else { return }
        guard mayMigrate else {
            throw StorageOpenError(
                operation: "open database", path: path,
                hint: "it is of an older version and another process uses it; stop that one first")
        }
        if !applied.isEmpty, let backupDirectory { try keepCopy(of: pool, in: backupDirectory, before: pending[0]) }
        try migrator.migrate(pool)
    }

    /// A database is newer when a module that is present has steps in it that this program does not know.
    private func refuseNewer(_ applied: Set<String>) throws {
        let known = Set(migrations.map(\.id))
        let modules = Set(migrations.map(\.module))
        let foreign = applied.filter { id in !known.contains(id) && modules.contains(String(id.prefix { $0 != "." })) }
        guard let first = foreign.sorted().first else { return }
        throw StorageOpenError(
            operation: "open database", path: path,
            hint: "it was written by a newer spark (it has \(first)); use that version or restore an older backup")
    }

    private func keepCopy(of pool: DatabasePool, in directory: URL, before step: Migration) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let name = "before-\(step.id.replacing("/", with: "-"))"
        var copy = directory.appending(path: "\(name).db")
        var number = 1
        while FileManager.default.fileExists(atPath: copy.path) {
            number += 1
            copy = directory.appending(path: "\(name)-\(number).db")
        }
        try pool.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy.path]) }
    }
}
