import CSpatiaLite
public import Foundation
import GRDB
import Glibc
public import SparkCore
import SparkFiles
import Synchronization

/// How to open the database.
public struct StorageConfiguration: Sendable {
    /// The database file.
    public var file: URL
    /// The directory for copies made before a migration; nil makes no copies.
    public var backupDirectory: URL?
    /// The number of pooled connections for reading.
    public var readers = 4
    /// False only for a server whose data is deleted at the end: commits then do not wait for the disk.
    public var isDurable = true
    /// False if another process owns the database: an older schema is then refused.
    public var mayMigrate = true
    /// What a new database begins with, so that its migrations need not run; nil runs those.
    public var newDatabase: (@Sendable () -> NewDatabase)?
    /// Opens the database without changing it or creating files next to it; nil opens it for writing.
    public var readOnly: DatabaseCompany?
    /// Observes the write-ahead log from the opening on.
    public var logObserver: (any LogObserver)?
    /// What a test wants to go wrong with writes; nil in ordinary servers.
    package var faults: (any WriteFaults)?

    /// A durable database with 4 readers, opened for writing.
    public init(file: URL, backupDirectory: URL?) {
        self.file = file
        self.backupDirectory = backupDirectory
    }
}

/// The SQLite implementation of `Storage`, with SpatiaLite, in WAL mode.
///
/// `write` goes through a single write queue and returns after the commit. `read` runs queries on a pool of connections with
/// their own threads. `pointRead` uses raw connections on the caller's thread, for a few rows by key. A read that begins after
/// a write was answered sees that write.
public final class SQLiteStorage: Storage {
    let pool: any DatabaseWriter
    let queue: WriteQueue
    let checkpointer: Checkpointer
    /// The path of the database file.
    let file: String
    /// Keeps reads apart from a replacement of the database; nil for a database that is never replaced.
    let readerLock: ReaderLock?
    private let pointReaders: PointReaderPool
    private let isSynchronous: Int
    private let isReadOnly: Bool
    /// Whether another process owns the database. The log is that process's to copy and to begin anew.
    private let isGuest: Bool
    private let metrics = StorageMetrics()
    /// The schema steps that a read-only database lacks; empty for a database opened for writing.
    public let missingMigrations: [String]

    /// Opens or creates the database and migrates it to the given schema. Blocks.
    /// - Parameter progress: Called before each slow step, on the caller's thread.
    /// - Throws: `StorageOpenError` if the database is newer than the program or cannot be opened.
    public init(
        _ configuration: StorageConfiguration, migrations: [Migration], clock: any WallClock,
        progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) throws {
        let path = configuration.file.path
        self.isReadOnly = configuration.readOnly != nil
        self.file = path
        self.readerLock = configuration.isDurable || configuration.readOnly != nil ? nil : ReaderLock()
        let steps = Migrator.kernel + migrations
        let isNew = try Self.begin(configuration, steps)
        self.pool = try Self.openPool(configuration)
        let checkpointer = Checkpointer(
            path: path, observer: configuration.readOnly == nil ? configuration.logObserver : nil,
            isDurable: configuration.isDurable)
        self.checkpointer = checkpointer
        self.isGuest = !configuration.mayMigrate
        if !configuration.mayMigrate { checkpointer.abandon() }
        let pending: [String]
        do {
            // Migrations may begin the log anew.
            if configuration.readOnly == nil { try pool.writeWithoutTransaction { try checkpointer.observeLog(of: $0) } }
            pending = try Migrator(
                migrations: steps, path: path, backupDirectory: isNew ? nil : configuration.backupDirectory,
                mayMigrate: configuration.mayMigrate, progress: progress
            ).run(on: pool, isReadOnly: configuration.readOnly != nil)
        } catch let error as DatabaseError where SQLError(error).isOfTheFile {
            throw StorageOpenError(database: error, operation: "open database", path: path)
        } catch let error as SQLError where error.isOfTheFile {
            throw StorageOpenError(error, operation: "open database", path: path)
        }
        self.missingMigrations = configuration.readOnly == nil ? [] : pending
        self.queue = WriteQueue(
            pool: pool, clock: clock, limits: .init(), metrics: metrics, path: path,
            isDurable: configuration.isDurable && configuration.readOnly == nil, faults: configuration.faults)
        self.pointReaders = PointReaderPool(path: path, limit: 8)
        guard configuration.readOnly == nil else {
            self.isSynchronous = 2
            queue.refuseAll()
            return
        }
        // GRDB sets synchronous=NORMAL after preparing the connection, so FULL must be set here, and is read back.
        self.isSynchronous = try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = \(configuration.isDurable ? "FULL" : "OFF")")
            try checkpointer.watch(database)
            return try Int.fetchOne(database, sql: "PRAGMA synchronous") ?? -1
        }
        guard isSynchronous == (configuration.isDurable ? 2 : 0) else {
            throw StorageOpenError(operation: "open database", path: path, hint: "synchronous mode was refused")
        }
        // The migrations did not wait for the disk.
        if configuration.isDurable, !pending.isEmpty { checkpointer.fold() }
    }

    /// Makes a database that does not exist yet.
    /// - Returns: Whether it did.
    private static func begin(_ configuration: StorageConfiguration, _ steps: [Migration]) throws -> Bool {
        guard let make = configuration.newDatabase, configuration.readOnly == nil, configuration.mayMigrate else { return false }
        do {
            return try make().begin(
                configuration.file.path, known: Set(steps.map(\.id)), isDurable: configuration.isDurable)
        } catch {
            throw StorageOpenError(operation: "make database", path: error.path, hint: "\(error.fault)")
        }
    }

    private static func openPool(_ configuration: StorageConfiguration) throws -> any DatabaseWriter {
        if let company = configuration.readOnly {
            do {
                return try DatabaseInspector.open(configuration.file, company: company, hasSpatiaLite: true)
            } catch let error as DatabaseError {
                throw StorageOpenError(database: error, operation: "open database", path: configuration.file.path)
            }
        }
        try makeFile(configuration.file.path)
        var options = Configuration()
        options.label = "spark"
        options.foreignKeysEnabled = true
        options.busyMode = .timeout(5)
        options.maximumReaderCount = configuration.readers
        options.prepareDatabase { database in
            try SpatiaLite.attach(to: database)
            try SecureDelete.switchOn(in: database, path: configuration.file.path)
            try database.execute(
                sql: "PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000")
        }
        do {
            return try DatabasePool(path: configuration.file.path, configuration: options)
        } catch let error as DatabaseError {
            throw StorageOpenError(database: error, operation: "open database", path: configuration.file.path)
        }
    }

    /// Creates the file if it is missing, readable by its owner only. SQLite gives the files next to it the same mode.
    private static func makeFile(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageOpenError(operation: "open database", path: path, hint: "\(FileFault(code: errno))")
        }
        Glibc.close(descriptor)
    }

    /// The bytes of the write-ahead log that are in use, each page of 4 KiB with 24 more. The file keeps the size that it once had.
    package var logBytes: Int64 { Int64(checkpointer.length) * 4_120 }

    /// Runs one write in the write queue and returns after its commit.
    ///
    /// An error from `body` rolls back this write only. Events that it published are delivered after the commit. If the task
    /// has a `WriteCondition`, it is checked first.
    /// - Throws: What `body` throws, or a `StorageError`.
    @discardableResult
    public func write<Value: Sendable>(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Value
    ) async throws -> Value {
        let (condition, attachment) = (WriteCondition.current, WriteAttachment.current)
        guard condition != nil || attachment != nil else { return try await queue.write(body) }
        return try await queue.write { transaction in
            try condition?.check(transaction)
            try attachment?.run(transaction.session)
            return try body(transaction)
        }
    }

    /// Like `write`, for callers that cannot suspend, such as event loops. Returns at once.
    /// - Parameter completion: Runs after the commit on the writer's thread, with nil or the error. Must be short.
    public func submit(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Void,
        completion: @escaping @Sendable ((any Error)?) -> Void
    ) {
        queue.submit(body, completion: completion)
    }

    /// Runs queries in one snapshot, on a thread of the pool.
    /// - Throws: What `body` throws, or an `SQLError`.
    public func read<Value: Sendable>(_ body: @escaping @Sendable (SQLSession) throws -> Value) async throws -> Value {
        let start = ContinuousClock.now
        defer { metrics.read(ContinuousClock.now - start) }
        await readerLock?.enter()
        defer { readerLock?.leave() }
        return try await SQLError.translating { try await pool.read { try body(SQLSession($0)) } }
    }

    /// Like `read`, but blocks the caller's thread: for commands and start-up.
    public func readNow<Value>(_ body: (SQLSession) throws -> Value) throws -> Value {
        readerLock?.enterNow()
        defer { readerLock?.leave() }
        return try pool.read { try body(SQLSession($0)) }
    }

    /// Like `readNow`, for checks that must also work on a damaged database. The snapshot is rolled back, because damage can
    /// prevent a commit.
    public func inspectNow<Value>(_ body: (SQLSession) throws -> Value) throws -> Value {
        readerLock?.enterNow()
        defer { readerLock?.leave() }
        return try SQLError.translating { try pool.unsafeRead { try $0.inSnapshot { try body(SQLSession($0)) } } }
    }

    /// Reads a few rows by key on the caller's thread, without a suspension.
    public nonisolated(nonsending) func pointRead<Value>(_ body: (SQLSession) throws -> Value) async throws -> Value {
        await readerLock?.enter()
        defer { readerLock?.leave() }
        return try pointReaders.read { try body(SQLSession($0)) }
    }

    /// Reads a few rows by key on the caller's thread.
    public func pointReadNow<Value>(_ body: (SQLSession) throws -> Value) throws -> Value {
        readerLock?.enterNow()
        defer { readerLock?.leave() }
        return try pointReaders.read { try body(SQLSession($0)) }
    }

    /// Removes earlier states from the write-ahead log, so that erased data cannot be found in it.
    ///
    /// The log is checkpointed while the writer continues, except for its end. Pages that running readers need stay. Suspends
    /// until it is done.
    public func emptyLog() async { await checkpointer.empty() }

    /// The durable jobs.
    public var outbox: Outbox { Outbox(storage: self) }

    /// Shows every commit to `observer` from now on. Call it once, before the first write. Until then effects run and events are
    /// dropped.
    public func observeCommits(_ observer: any CommitObserver) { queue.observeCommits(observer) }

    /// Begins a run: gives the database a new mark and, if its history of events has no name yet, gives that a name. Both
    /// happen or neither.
    ///
    /// Data derived from the database under its last mark matches exactly this state of it, and not the state of a copy that
    /// was restored since.
    /// - Parameters:
    ///   - mark: The new mark.
    ///   - epoch: The name of the history if it has none yet.
    ///   - isNewHistory: Always sets the name, for example after a copy was restored.
    /// - Returns: The previous mark (empty if there was none) and the name of the history.
    public func beginRun(mark: String, epoch: String, isNewHistory: Bool) async throws -> (lastMark: String, epoch: String) {
        try await write { transaction in
            let last: String? = try transaction.value("SELECT mark FROM spark_mark")
            try transaction.run(
                "INSERT INTO spark_mark (id, mark) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET mark = ?1", mark)
            if !isNewHistory, let epoch: String = try transaction.value("SELECT epoch FROM spark_epoch") {
                return (last ?? "", epoch)
            }
            try transaction.run(
                "INSERT INTO spark_epoch (id, epoch) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET epoch = ?1", epoch)
            return (last ?? "", epoch)
        }
    }

    /// The mark of the last run and the name of the history of events, for a run that cannot write its own; nil before the
    /// first run.
    public func lastRun() throws -> (mark: String, epoch: String)? {
        try pool.read { database in
            guard let mark = try String.fetchOne(database, sql: "SELECT mark FROM spark_mark"),
                let epoch = try String.fetchOne(database, sql: "SELECT epoch FROM spark_epoch")
            else { return nil }
            return (mark, epoch)
        }
    }

    /// Calls `note` with the number of commits after each commit, on the writer's thread. Must be short. Call it once, before
    /// the first write.
    public func countCommits(_ note: @escaping @Sendable (Int64) -> Void) { queue.countCommits(note) }

    /// Calls `receive` once if the disk fails and writing stops: on the writer's thread, before the waiting writes are
    /// answered.
    public func observeFailure(_ receive: @escaping @Sendable (StorageFailure) -> Void) { queue.observeFailure(receive) }

    /// Why writes are refused; nil if they are accepted.
    public var refusal: StorageError? { queue.refusal }

    /// The failure of the disk; nil if there was none.
    public var failure: StorageFailure? { queue.failure }

    /// The number of writes in the queue.
    public var waitingWrites: Int { queue.depth }

    /// Runs bulk work on the writing connection, outside the queue and without waiting for the disk. When it returns,
    /// everything is on the disk. Use it to load a database that has no other user: a crash before the end leaves the database
    /// unusable.
    public func bulkWrite<Value>(_ body: (SQLSession) throws -> Value) throws -> Value {
        let value = try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
            return try body(SQLSession(database))
        }
        try pool.writeWithoutTransaction { database in
            try database.execute(
                sql: "PRAGMA synchronous = \(isSynchronous == 2 ? "FULL" : "OFF"); PRAGMA cache_size = -16000")
        }
        checkpointer.fold()
        return value
    }

    /// Finishes the waiting writes, checkpoints and closes the file. After a disk failure, nothing moves from the WAL into the
    /// database; the next start reads the WAL from the disk and checks it.
    public func close() async {
        await queue.close()
        closeConnections()
    }

    private func closeConnections() {
        pointReaders.close()
        guard !isReadOnly else {
            // Best effort: a read-only connection that stays open blocks nothing.
            try? pool.close()
            return
        }
        if queue.failure != nil || isGuest {
            pool.writeWithoutTransaction { database in
                if let handle = database.sqliteConnection { spark_keep_wal(handle) }
            }
            // Best effort: the process is about to end, or has only borrowed the database.
            try? pool.close()
            return checkpointer.abandon()
        }
        checkpointer.finishLog()
        // Best effort: if a connection stays open, the WAL remains and the next start reads it.
        try? pool.close()
        checkpointer.close()
    }
}
