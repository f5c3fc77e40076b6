import CSpatiaLite
import Dispatch
import GRDB
import GRDBSQLite
import Synchronization

/// Copies committed pages from the WAL into the database on its own thread and connection, so that writes rarely wait for a
/// checkpoint.
final class Checkpointer: Sendable {
    /// The number of pages at which the WAL file is also truncated (512 MiB): readers that never pause have let it grow.
    private static let ceiling = 131_072
    /// How long a checkpoint waits for others, in milliseconds.
    private static let patience: Int32 = 200
    /// The same while the writer waits.
    private static let shortPatience: Int32 = 20

    private let path: String
    private let thread = DispatchQueue(label: "spark.checkpoint", qos: .utility)
    private let plan = Mutex(CheckpointPlan())
    private let isAbandoned = Atomic(false)
    private let connection = Mutex<Connection?>(nil)

    private struct Connection {
        let bits: UInt
    }

    init(path: String) { self.path = path }

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

    /// Runs after each commit on the writer's thread, which holds no lock then.
    private func committed(pages: Int) {
        switch plan.withLock({ $0.next(at: pages) }) {
        case .none: break
        case .copy:
            thread.async {
                self.step(mode: SQLITE_CHECKPOINT_PASSIVE)
                self.plan.withLock { $0.end() }
            }
        case .restart:
            let mode = pages >= Self.ceiling ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART
            thread.sync { step(mode: mode, wait: Self.shortPatience) }
            plan.withLock { $0.end() }
        }
    }

    private func step(mode: Int32, wait: Int32 = patience) {
        guard !isAbandoned.load(ordering: .acquiring), let handle = open() else { return }
        sqlite3_busy_timeout(handle, wait)
        var moved: Int32 = -1
        sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, &moved)
        // Negative after an error.
        if moved >= 0 { plan.withLock { $0.note(moved: Int(moved)) } }
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
            // A connection that has read nothing does not know yet that there is a WAL.
            sqlite3_exec(handle, "SELECT 1 FROM sqlite_schema LIMIT 1", nil, nil, nil)
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

    /// Copies everything from the WAL and empties it, mostly alongside the writer. Best effort: pages that readers need stay.
    func empty() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            thread.async {
                self.step(mode: SQLITE_CHECKPOINT_PASSIVE)
                self.step(mode: SQLITE_CHECKPOINT_TRUNCATE)
                continuation.resume()
            }
        }
    }

    /// Waits for a running checkpoint, then copies everything from the WAL into the database and onto the disk.
    func fold() { thread.sync { step(mode: SQLITE_CHECKPOINT_TRUNCATE) } }

    /// Waits for a running checkpoint, copies the rest of the WAL and closes the connection. Call it after every other
    /// connection is closed: SQLite removes the WAL with the last connection, but only if that connection may write, which the
    /// pool's readers may not.
    func close() {
        thread.sync {
            step(mode: SQLITE_CHECKPOINT_TRUNCATE)
            connection.withLock { connection in
                if let bits = connection?.bits { sqlite3_close_v2(OpaquePointer(bitPattern: bits)) }
                connection = nil
            }
        }
    }
}
