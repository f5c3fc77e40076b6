import CGatheredLog
import CSpatiaLite
import Dispatch
import GRDB
import GRDBSQLite
import Glibc
import Synchronization

/// Copies committed pages from the WAL into the database on its own thread and connection, so that writes rarely wait for a
/// checkpoint.
final class Checkpointer: Sendable {
    /// The number of pages at which the WAL file is also truncated (2 GiB): readers that never pause have let it grow. Giving back the
    /// blocks holds the writer for half a second, and each commit then waits for new ones; what a backup lets gather stays as it is.
    private static let ceiling = 524_288
    /// How long a checkpoint waits for others, in milliseconds.
    private static let patience: Int32 = 200
    /// The same while the writer waits.
    private static let shortPatience: Int32 = 8
    /// The same after readers prevented it: a backup reads for minutes, and waiting for it is of no use.
    private static let leastPatience: Int32 = 1
    /// How long after readers kept pages in the WAL it is emptied again.
    private static let pause = DispatchTimeInterval.seconds(5)

    private let path: String
    private let observer: ObserverBox?
    private let isDurable: Bool
    private let thread = DispatchQueue(label: "spark.checkpoint", qos: .utility)
    private let plan = Mutex(CheckpointPlan())
    private let isAbandoned = Atomic(false)
    private let isHeldBack = Atomic(false)
    private let mustEmpty = Atomic(false)
    private let frames = Atomic(0)
    private let connection = Mutex<Connection?>(nil)

    private struct Connection {
        let bits: UInt
    }

    /// Passes the observer through C.
    private final class ObserverBox: Sendable {
        let observer: any LogObserver

        init(_ observer: any LogObserver) { self.observer = observer }
    }

    /// - Parameter isDurable: whether a checkpoint waits for the disk.
    init(path: String, observer: (any LogObserver)? = nil, isDurable: Bool = true) {
        self.path = path
        self.isDurable = isDurable
        self.observer = observer.map(ObserverBox.init)
    }

    /// How many pages the WAL has. Its file may have room for more.
    var length: Int { frames.load(ordering: .relaxed) }

    /// Makes the writer's connection report the length of the WAL after each commit, instead of checkpointing by itself.
    func watch(_ database: Database) throws {
        try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        guard let handle = database.sqliteConnection else { return }
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                Unmanaged<Checkpointer>.fromOpaque(context).takeUnretainedValue().committed(pages: Int(pages))
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Makes the writer's connection call the observer, if there is one, before it overwrites the log.
    /// - Throws: `DatabaseError`; `SQLError` if the log cannot be watched.
    func observeLog(of database: Database) throws {
        guard observer != nil, let handle = database.sqliteConnection else { return }
        _ = try Int.fetchOne(database, sql: "SELECT 1 FROM sqlite_schema LIMIT 1")
        guard watchLog(handle) else { throw SQLError(code: SQLITE_CANTOPEN) }
    }

    /// Tells the observer of everything in the log. Call it before the first connection is closed: the last one removes the log.
    func finishLog() { observer?.observer.logEnds(next: nil) }

    /// Makes a connection call the observer before it overwrites or cuts off the log.
    private func watchLog(_ handle: OpaquePointer) -> Bool {
        guard let observer else { return true }
        return spark_log_watch(
            handle,
            { context, header in
                guard let context else { return }
                let observer = Unmanaged<ObserverBox>.fromOpaque(context).takeUnretainedValue().observer
                observer.logEnds(next: header.map { LogSalts(header: $0) })
            }, Unmanaged.passUnretained(observer).toOpaque()) != 0
    }

    /// Runs after each commit on the writer's thread, which holds no lock then.
    private func committed(pages: Int) {
        observer?.observer.committed(frames: pages)
        frames.store(pages, ordering: .relaxed)
        switch plan.withLock({ $0.next(at: pages) }) {
        case .none: break
        case .copy:
            thread.async {
                self.step(mode: SQLITE_CHECKPOINT_PASSIVE)
                // A restart may follow, and the writer waits for it.
                _ = self.observer?.observer.mayCheckpoint()
                self.plan.withLock { $0.end() }
            }
        case .restart:
            let mode = pages >= Self.ceiling ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART
            thread.sync {
                let wait = isHeldBack.load(ordering: .relaxed) ? Self.leastPatience : Self.shortPatience
                isHeldBack.store(!step(mode: mode, wait: wait), ordering: .relaxed)
            }
            plan.withLock { $0.end() }
        }
    }

    /// - Parameter isForced: Also if the observer would rather keep the log for now.
    /// - Returns: whether all that the mode promises was done.
    @discardableResult
    private func step(mode: Int32, wait: Int32 = patience, isForced: Bool = false) -> Bool {
        guard !isAbandoned.load(ordering: .acquiring), observer?.observer.mayCheckpoint() != false || isForced,
            let handle = open()
        else { return false }
        sqlite3_busy_timeout(handle, wait)
        var (length, moved): (Int32, Int32) = (-1, -1)
        let code = sqlite3_wal_checkpoint_v2(handle, nil, mode, &length, &moved)
        // Negative after an error.
        if moved >= 0 { plan.withLock { $0.note(moved: Int(moved)) } }
        // All pages are in the database, and the next commit begins the WAL anew.
        if code == SQLITE_OK, mode != SQLITE_CHECKPOINT_PASSIVE { frames.store(0, ordering: .relaxed) }
        return code == SQLITE_OK && (mode != SQLITE_CHECKPOINT_PASSIVE || moved == length)
    }

    private func open() -> OpaquePointer? {
        connection.withLock { connection in
            if let connection { return OpaquePointer(bitPattern: connection.bits) }
            var handle: OpaquePointer?
            guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK else {
                sqlite3_close_v2(handle)
                return nil
            }
            guard let handle, SecureDelete.isSwitchedOn(handle) else {
                sqlite3_close_v2(handle)
                return nil
            }
            sqlite3_busy_timeout(handle, Self.patience)
            if !isDurable { sqlite3_exec(handle, "PRAGMA synchronous = OFF", nil, nil, nil) }
            // A connection that has read nothing does not know yet that there is a WAL.
            sqlite3_exec(handle, "SELECT 1 FROM sqlite_schema LIMIT 1", nil, nil, nil)
            guard watchLog(handle) else {
                sqlite3_close_v2(handle)
                return nil
            }
            connection = Connection(bits: UInt(bitPattern: handle))
            return handle
        }
    }

    /// Waits for a running checkpoint and closes the connection without another one. The contents of the WAL stay there.
    func abandon() {
        thread.sync {
            connection.withLock { connection in
                if let handle = connection.flatMap({ OpaquePointer(bitPattern: $0.bits) }) {
                    spark_keep_wal(handle)
                    sqlite3_close_v2(handle)
                }
                connection = nil
            }
            isAbandoned.store(true, ordering: .releasing)
        }
    }

    /// Copies everything from the WAL and empties it, mostly alongside the writer. Pages that readers need stay; then it is tried
    /// again and again, until no reader needs them.
    func empty() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            thread.async {
                self.mustEmpty.store(true, ordering: .relaxed)
                self.emptyNow()
                continuation.resume()
            }
        }
    }

    /// Emptying holds the writer while it waits for readers, so it waits only if none seems to need the pages.
    private func emptyNow() {
        guard mustEmpty.load(ordering: .relaxed), !isAbandoned.load(ordering: .acquiring) else { return }
        var isFree = false
        for attempt in 0..<20 where !isFree {
            if attempt > 0 { usleep(10_000) }
            isFree = step(mode: SQLITE_CHECKPOINT_PASSIVE)
        }
        if step(mode: SQLITE_CHECKPOINT_TRUNCATE, wait: isFree ? Self.patience : Self.leastPatience) {
            mustEmpty.store(false, ordering: .relaxed)
        } else {
            thread.asyncAfter(deadline: .now() + Self.pause) { [weak self] in self?.emptyNow() }
        }
    }

    /// Waits for a running checkpoint, then copies everything from the WAL into the database and onto the disk.
    func fold() { thread.sync { _ = step(mode: SQLITE_CHECKPOINT_TRUNCATE, isForced: true) } }

    /// Copies everything from the WAL and empties it, so that the database file alone has the whole state, and runs `body`. Call it on the
    /// writer's thread between two commits, while nobody reads.
    /// - Parameter isChanging: whether `body` writes to the file; every connection then reads its pages anew.
    /// - Throws: `StorageError.busy` if a reader needs the WAL, and what `body` throws.
    func folded<Value>(isChanging: Bool = false, _ body: () throws -> Value) throws -> Value {
        try thread.sync {
            // A connection that is just being opened reads for a moment.
            let isFolded = (0..<10).contains { _ in step(mode: SQLITE_CHECKPOINT_TRUNCATE, isForced: true) }
            guard isFolded else { throw StorageError.busy }
            let value = try body()
            if isChanging { try announceChange() }
            return value
        }
    }

    /// Commits a page as it is. Every other connection sees another head of the WAL and forgets the pages that it has in memory. This
    /// connection forgets its own first: it made the last checkpoint itself, so it would see no change.
    private func announceChange() throws {
        guard let handle = open() else { throw StorageError.busy }
        sqlite3_db_release_memory(handle)
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &statement, nil)
        defer { sqlite3_finalize(statement) }
        guard code == SQLITE_OK, sqlite3_step(statement) == SQLITE_ROW else { throw SQLError(code: sqlite3_errcode(handle)) }
        let version = sqlite3_column_int(statement, 0)
        sqlite3_reset(statement)
        let written = sqlite3_exec(handle, "PRAGMA user_version = \(version)", nil, nil, nil)
        guard written == SQLITE_OK else { throw SQLError(code: written) }
    }

    /// Waits for a running checkpoint, copies the rest of the WAL and closes the connection. Call it after every other
    /// connection is closed: SQLite removes the WAL with the last connection, but only if that connection may write, which the
    /// pool's readers may not.
    func close() {
        thread.sync {
            step(mode: SQLITE_CHECKPOINT_TRUNCATE, isForced: true)
            // Closing copies what a reader of another process kept from being copied, and removes the log.
            observer?.observer.logEnds(next: nil)
            connection.withLock { connection in
                if let bits = connection?.bits { sqlite3_close_v2(OpaquePointer(bitPattern: bits)) }
                connection = nil
            }
            isAbandoned.store(true, ordering: .releasing)
        }
    }
}
