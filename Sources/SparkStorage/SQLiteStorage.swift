import CSpatiaLite
public import Foundation
import GRDB
import Glibc
public import SparkCore
import SparkFiles
import Synchronization

/// How the store is opened.
public struct StorageConfiguration: Sendable {
    /// The database file.
    public var file: URL
    /// Copies made before a migration go here; none are made if nil.
    public var backupDirectory: URL?
    /// Connections for reading through the pool.
    public var readers = 4
    /// False only where all is lost at the end anyway (the ephemeral server): commits do not wait for the disk.
    public var isDurable = true
    /// False beside a process that owns the database: an older schema is then refused.
    public var mayMigrate = true
    /// Opens the database without changing a byte of it or making anything beside it; nil to open it for writing.
    public var readOnly: DatabaseCompany?

    public init(file: URL, backupDirectory: URL?) {
        self.file = file
        self.backupDirectory = backupDirectory
    }
}

/// The one file of truth: SQLite with SpatiaLite, in WAL mode.
///
/// Three ways in: `write` (the one write queue, answered after the commit), `read` (a pool of connections on threads of
/// their own, for queries) and `pointRead` (raw connections on the caller's thread, for a few rows by key). A read that
/// begins after a write was answered sees it.
public final class SQLiteStorage: Storage {
    private let pool: any DatabaseWriter
    private let queue: WriteQueue
    private let checkpointer: Checkpointer
    private let pointReaders: PointReaderPool
    private let sink: CommitSink
    private let isSynchronous: Int
    private let isReadOnly: Bool
    private let metrics = StorageMetrics()
    /// Steps of the schema that a database lacks which may only be read.
    public let missingMigrations: [String]

    /// Opens or creates the database and brings it to the given schema.
    /// - Parameter progress: told what takes long before it begins, on the caller's thread.
    /// - Throws: `StorageOpenError` for a database that is newer than the program or cannot be opened.
    public init(
        _ configuration: StorageConfiguration, migrations: [Migration], clock: any WallClock,
        progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) throws {
        let path = configuration.file.path
        self.isReadOnly = configuration.readOnly != nil
        self.pool = try Self.openPool(configuration)
        let pending: [String]
        do {
            pending = try Migrator(
                migrations: Migrator.kernel + migrations, path: path, backupDirectory: configuration.backupDirectory,
                mayMigrate: configuration.mayMigrate, progress: progress
            ).run(on: pool, isReadOnly: configuration.readOnly != nil)
        } catch let error as DatabaseError where SQLError(error).isOfTheFile {
            throw StorageOpenError(database: error, operation: "open database", path: path)
        } catch let error as SQLError where error.isOfTheFile {
            throw StorageOpenError(error, operation: "open database", path: path)
        }
        self.missingMigrations = configuration.readOnly == nil ? [] : pending
        let sink = CommitSink()
        self.sink = sink
        self.queue = WriteQueue(
            pool: pool, clock: clock, limits: .init(), metrics: metrics, path: path,
            countsCommits: configuration.isDurable && configuration.readOnly == nil,
            onEvent: { try sink.join($0, $1) },
            onPrepare: { sink.prepare($0) },
            onCommit: { sink.deliver($0) })
        self.checkpointer = Checkpointer(path: path)
        self.pointReaders = PointReaderPool(path: path, limit: 8)
        guard configuration.readOnly == nil else {
            self.isSynchronous = 2
            queue.refuseAll()
            return
        }
        let checkpointer = checkpointer
        // GRDB sets synchronous=NORMAL after the connection's preparation, so FULL must be set here, and read back.
        self.isSynchronous = try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = \(configuration.isDurable ? "FULL" : "OFF")")
            try checkpointer.watch(database)
            return try Int.fetchOne(database, sql: "PRAGMA synchronous") ?? -1
        }
        guard isSynchronous == (configuration.isDurable ? 2 : 0) else {
            throw StorageOpenError(operation: "open database", path: path, hint: "synchronous mode was refused")
        }
        // The steps did not wait for the disk.
        if configuration.isDurable, !pending.isEmpty { checkpointer.fold() }
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

    /// Makes the file where it is missing, readable by its owner only: SQLite gives what it makes beside it the same mode.
    private static func makeFile(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageOpenError(operation: "open database", path: path, hint: "\(FileFault(code: errno))")
        }
        Glibc.close(descriptor)
    }

    /// Runs one write in the write queue and returns after its commit.
    ///
    /// What `body` throws takes back this write alone. Events it published are told after the commit. A `WriteCondition` of the task
    /// is asked first.
    /// - Throws: what `body` threw, or a `StorageError`.
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

    /// The same for callers that cannot wait: event loops. Returns at once.
    /// - Parameter completion: told after the commit what failed, or nil; short, on the writer's thread.
    public func submit(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Void,
        completion: @escaping @Sendable ((any Error)?) -> Void
    ) {
        queue.submit(body, completion: completion)
    }

    /// Runs queries in one snapshot, on a thread of the pool.
    public func read<Value: Sendable>(_ body: @escaping @Sendable (SQLSession) throws -> Value) async throws -> Value {
        let start = ContinuousClock.now
        defer { metrics.read(ContinuousClock.now - start) }
        return try await SQLError.translating { try await pool.read { try body(SQLSession($0)) } }
    }

    /// The same for callers outside the concurrency runtime: commands and start-up.
    public func readNow<Value>(_ body: (SQLSession) throws -> Value) throws -> Value {
        try pool.read { try body(SQLSession($0)) }
    }

    /// The same for checks, also of a damaged database: one snapshot that is given up at the end, not committed, which damage forbids.
    public func inspectNow<Value>(_ body: (SQLSession) throws -> Value) throws -> Value {
        try SQLError.translating { try pool.unsafeRead { try $0.inSnapshot { try body(SQLSession($0)) } } }
    }

    /// Reads a few rows by key on the caller's thread.
    public func pointRead<Value>(_ body: (SQLSession) throws -> Value) throws -> Value {
        try pointReaders.read { try body(SQLSession($0)) }
    }

    /// Lets nothing of earlier states stay in the write-ahead log: for when something was erased that must not be found again.
    ///
    /// The log is moved beside the writer, but for its end. Readers that are under way keep what they need.
    public func emptyLog() async { await checkpointer.empty() }

    /// The durable jobs.
    public var outbox: Outbox { Outbox(storage: self) }

    /// Who is told what follows from each commit, in the order of commits, on the writer's thread, before the writes are answered. Set
    /// once, before the first write.
    /// - Parameters:
    ///   - join: told each event inside its transaction; what it throws takes back the write.
    ///   - prepare: told all that follows just before the commit, which may still fail.
    ///   - deliver: must run the effects.
    public func observeCommits(
        join: @escaping @Sendable (any SparkEvent, WriteTransaction) throws -> Void = { _, _ in },
        prepare: @escaping @Sendable ([Consequence]) -> Void = { _ in },
        deliver: @escaping @Sendable ([Consequence]) -> Void
    ) {
        sink.set(join, prepare, deliver)
    }

    /// Begins a run: gives the database a new mark, and its history of events a name where it has none, both or neither.
    ///
    /// What was derived from the database under its last mark is derived from this very state of it, and not from one that was put back
    /// since.
    /// - Parameters:
    ///   - epoch: the name of the history if it has none yet.
    ///   - isNewHistory: gives the history that name in any case, as when the database is a copy that was put back.
    /// - Returns: the mark that the database had, and the name of its history.
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

    /// The mark of the last run and the name of the history of events, for a run that cannot write its own; nil before the first run.
    public func lastRun() throws -> (mark: String, epoch: String)? {
        try pool.read { database in
            guard let mark = try String.fetchOne(database, sql: "SELECT mark FROM spark_mark"),
                let epoch = try String.fetchOne(database, sql: "SELECT epoch FROM spark_epoch")
            else { return nil }
            return (mark, epoch)
        }
    }

    /// Who is told how many commits there are, after each, on the writer's thread; short. Set once, before the first write.
    public func countCommits(_ note: @escaping @Sendable (Int64) -> Void) { queue.countCommits(note) }

    /// Who is told, once, that the disk failed and no more is written; on the writer's thread, before anybody is answered.
    public func observeFailure(_ receive: @escaping @Sendable (StorageFailure) -> Void) { queue.observeFailure(receive) }

    /// Why writes are refused; nil while all is well.
    public var refusal: StorageError? { queue.refusal }

    /// What the disk failed at, if it did.
    public var failure: StorageFailure? { queue.failure }

    /// How many writes wait in the queue.
    public var waitingWrites: Int { queue.depth }

    /// Runs bulk work on the writing connection, outside the queue and without waiting for the disk; all of it is on the disk
    /// when this returns. For loading a database that nobody else uses: a crash in between leaves it unusable.
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

    /// Finishes the writes that wait, checkpoints and closes the file. After a failure of the disk nothing is moved from the WAL into the
    /// database: the next start reads it from the disk, and checks it.
    public func close() async {
        await queue.close()
        closeConnections()
    }

    private func closeConnections() {
        pointReaders.close()
        guard !isReadOnly else {
            // Best effort: nothing is kept open by it.
            try? pool.close()
            return
        }
        if queue.failure != nil {
            pool.writeWithoutTransaction { database in
                if let handle = database.sqliteConnection { spark_keep_wal(handle) }
            }
            // Best effort: the process ends.
            try? pool.close()
            return checkpointer.abandon()
        }
        // Best effort: a connection that stays open keeps the WAL, which is read again at the next start.
        try? pool.close()
        checkpointer.close()
    }
}

/// Where commits' consequences go; before the server is wired, effects run and events are lost.
private final class CommitSink: Sendable {
    typealias Receiver = @Sendable ([Consequence]) -> Void
    typealias Joiner = @Sendable (any SparkEvent, WriteTransaction) throws -> Void

    /// Closures in a struct: a bare one in a generic lock is wrapped anew at every look.
    private struct Receivers: Sendable {
        var join: Joiner = { _, _ in }
        var prepare: Receiver = { _ in }
        var deliver: Receiver = { consequences in
            for case .effect(let effect) in consequences { effect() }
        }
    }

    private let receivers = Mutex(Receivers())

    func set(_ join: @escaping Joiner, _ prepare: @escaping Receiver, _ deliver: @escaping Receiver) {
        receivers.withLock { $0 = Receivers(join: join, prepare: prepare, deliver: deliver) }
    }

    func join(_ event: any SparkEvent, _ transaction: WriteTransaction) throws {
        try receivers.withLock { $0 }.join(event, transaction)
    }

    func prepare(_ consequences: [Consequence]) { receivers.withLock { $0 }.prepare(consequences) }
    func deliver(_ consequences: [Consequence]) { receivers.withLock { $0 }.deliver(consequences) }
}
