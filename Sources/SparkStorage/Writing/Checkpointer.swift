import CSpatiaLite
import Dispatch
import GRDB
import GRDBSQLite
import Synchronization

/// Moves committed pages from the WAL into the database on a thread and a connection of its own, a little at a time, so that
/// no write ever waits for a checkpoint.
final class Checkpointer: Sendable {
    /// Pages in the WAL that call for a checkpoint (4 MiB at 4 KiB a page).
    private static let threshold = 1_024
    /// Pages from which the WAL is to begin anew (96 MiB). It does by itself once all of it is moved, which beside a writer that never
    /// rests does not happen: what is written while the bulk is moved must be moved while the writer waits.
    private static let restart = 24_576
    /// More than so many pages are moved beside the writer once more, before it is made to wait for the rest.
    private static let remainder = 1_024
    /// Pages from which the WAL is also cut (512 MiB): readers that never rest have let it grow.
    private static let ceiling = 131_072

    private let path: String
    private let thread = DispatchQueue(label: "spark.checkpoint", qos: .utility)
    private let isScheduled = Atomic(false)
    private let isAbandoned = Atomic(false)
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
            self.move(from: pages)
            self.isScheduled.store(false, ordering: .releasing)
        }
    }

    /// Moves what is there beside the writer; what came meanwhile again, until it is little; and that with the writer waiting.
    private func move(from pages: Int) {
        var moved = step(mode: SQLITE_CHECKPOINT_PASSIVE)
        guard moved >= Self.restart else { return }
        for _ in 0..<3 {
            let before = moved
            moved = step(mode: SQLITE_CHECKPOINT_PASSIVE)
            guard moved - before > Self.remainder else { break }
        }
        step(mode: pages >= Self.ceiling ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_FULL)
    }

    /// - Returns: how many of the WAL's pages are in the database now.
    @discardableResult
    private func step(mode: Int32) -> Int {
        guard !isAbandoned.load(ordering: .acquiring), let handle = open() else { return 0 }
        var moved: Int32 = 0
        sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, &moved)
        return Int(moved)
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
            sqlite3_busy_timeout(handle, 200)
            // A connection that has read nothing yet does not know that there is a WAL.
            sqlite3_exec(handle, "SELECT 1 FROM sqlite_schema LIMIT 1", nil, nil, nil)
            connection = Connection(bits: UInt(bitPattern: handle))
            return handle
        }
    }

    /// Waits for a checkpoint that runs and gives the connection back without another: what is in the WAL stays there.
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

    /// Moves everything from the WAL and empties it, most of it beside the writer. Best effort: what readers still need stays.
    func empty() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            thread.async {
                self.step(mode: SQLITE_CHECKPOINT_PASSIVE)
                self.step(mode: SQLITE_CHECKPOINT_TRUNCATE)
                continuation.resume()
            }
        }
    }

    /// Waits for a checkpoint that runs, then moves everything from the WAL into the database and to the disk.
    func fold() { thread.sync { _ = step(mode: SQLITE_CHECKPOINT_TRUNCATE) } }

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
