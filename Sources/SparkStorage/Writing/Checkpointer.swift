import Dispatch
import GRDB
import GRDBSQLite
import Synchronization

/// Moves committed pages from the WAL into the database on a thread and a connection of its own, a little at a time, so that
/// no write ever waits for a checkpoint.
final class Checkpointer: Sendable {
    /// Pages in the WAL that call for a checkpoint (4 MiB at 4 KiB a page).
    private static let threshold = 1_024
    /// Pages from which the WAL is also cut (256 MiB): readers that never rest have let it grow.
    private static let ceiling = 65_536

    private let path: String
    private let thread = DispatchQueue(label: "spark.checkpoint", qos: .utility)
    private let isScheduled = Atomic(false)
    private let connection = Mutex<Connection?>(nil)

    private struct Connection {
        let bits: UInt
    }

    init(path: String) { self.path = path }

    /// Lets the writer's connection report how long the WAL is after each commit, instead of checkpointing by itself.
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

    private func committed(pages: Int) {
        guard pages >= Self.threshold, !isScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        thread.async {
            self.step(mode: pages >= Self.ceiling ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE)
            self.isScheduled.store(false, ordering: .releasing)
        }
    }

    private func step(mode: Int32) {
        guard let handle = open() else { return }
        sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
    }

    private func open() -> OpaquePointer? {
        connection.withLock { connection in
            if let connection { return OpaquePointer(bitPattern: connection.bits) }
            var handle: OpaquePointer?
            guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK else {
                sqlite3_close_v2(handle)
                return nil
            }
            sqlite3_busy_timeout(handle, 200)
            // A connection that has read nothing yet does not know that there is a WAL.
            sqlite3_exec(handle, "SELECT 1 FROM sqlite_schema LIMIT 1", nil, nil, nil)
            connection = Connection(bits: UInt(bitPattern: handle))
            return handle
        }
    }

    /// Waits for a checkpoint that runs, then moves everything from the WAL into the database and to the disk.
    func fold() { thread.sync { step(mode: SQLITE_CHECKPOINT_TRUNCATE) } }

    /// Waits for a checkpoint that runs, folds the rest of the WAL in and gives the connection back. To be called when every
    /// other connection is closed: SQLite removes the WAL with the last one, if that may write, as the pool's readers may not.
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
