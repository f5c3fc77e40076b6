import CSparkSystem
import Foundation
import Glibc
import SparkCore
import SparkFiles
import SparkStorage
import Synchronization

/// Reads a snapshot on a thread of its own, with low priority and short pauses, and watches what it costs others.
final class SnapshotReader: Sendable {
    struct State: Sendable {
        let pageSize: Int
        let pageCount: Int
        let position: LogPosition
    }

    /// What else the manifest says about the database.
    struct Rows: Sendable {
        let migrations: [String]
        let counts: [String: Int64]
    }

    private struct Open {
        var snapshot: Handle?
        var directory = ""
        var maximumLogBytes: Int64 = 0
    }

    // Used only under the lock.
    private final class Handle: @unchecked Sendable {
        let snapshot: PageSnapshot
        init(_ snapshot: PageSnapshot) { self.snapshot = snapshot }
    }

    /// After each piece the reader rests for a part of the time that the piece took: others get the disk and the processor.
    private static let rest = 0.25
    private static let longestRest = 0.05
    /// A backup gives up with less room on the disk, or with less than five percent.
    private static let tightBytes: UInt64 = 1 << 30

    private let open = Mutex(Open())
    private let largestLog: @Sendable (Int64) -> Void
    private let isCancelled: @Sendable () -> Bool

    init(largestLog: @escaping @Sendable (Int64) -> Void, isCancelled: @escaping @Sendable () -> Bool) {
        self.largestLog = largestLog
        self.isCancelled = isCancelled
    }

    /// Begins the snapshot.
    func begin(_ database: URL, directory: URL, maximumLogBytes: Int64) async throws -> State {
        try await run {
            let snapshot = try PageSnapshot(of: database)
            let state = State(pageSize: snapshot.pageSize, pageCount: snapshot.pageCount, position: snapshot.position)
            self.open.withLock { open in
                open.snapshot = Handle(snapshot)
                open.directory = directory.path
                open.maximumLogBytes = maximumLogBytes
            }
            guard state.pageCount > 0 else { throw BackupError.refused("\(database.path) is empty: there is nothing to back up") }
            return state
        }
    }

    /// Writes pages into a compressed file.
    func write(_ first: Int, count: Int, into file: URL) async throws {
        try await run {
            let part = try PartWriter(file)
            try self.read(first, count: count) { try part.write($0) }
            try part.end()
        }
    }

    /// Writes all pages into a database file.
    /// - Parameter progress: called with the number of pages that are written.
    func copy(_ count: Int, into target: DatabaseTarget, progress: @escaping @Sendable (Int) -> Void) async throws {
        try await run {
            let bytes = self.open.withLock { $0.snapshot?.snapshot.pageSize ?? 1 }
            var done = 0
            try self.read(1, count: count) { piece in
                try target.append(piece)
                done += piece.count / bytes
                progress(done)
            }
            try target.end()
        }
    }

    /// Reads pages in pieces, with pauses.
    private func read(_ first: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try open.withLock { open in
            guard let snapshot = open.snapshot?.snapshot else { throw CancellationError() }
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: PartWriter.piece, alignment: 4_096)
            defer { memory.deallocate() }
            let atOnce = PartWriter.piece / snapshot.pageSize
            var next = first
            while next < first + count {
                if isCancelled() { throw CancellationError() }
                let begin = ContinuousClock.now
                let pages = min(atOnce, first + count - next)
                let piece = UnsafeMutableRawBufferPointer(rebasing: memory[..<(pages * snapshot.pageSize)])
                try snapshot.read(from: next, into: piece)
                try body(UnsafeRawBufferPointer(piece))
                next += pages
                try lookAround(snapshot, open.directory, open.maximumLogBytes)
                Self.pause(after: begin.duration(to: .now))
            }
        }
    }

    /// Counts the rows of the state.
    func rows() async throws -> Rows {
        try await run {
            try self.open.withLock { open in
                guard let snapshot = open.snapshot?.snapshot else { throw CancellationError() }
                let rows = Rows(migrations: try snapshot.migrations(), counts: try snapshot.rowCounts())
                try self.lookAround(snapshot, open.directory, open.maximumLogBytes)
                return rows
            }
        }
    }

    /// Ends the snapshot.
    func end() {
        open.withLock { open in
            open.snapshot?.snapshot.close()
            open.snapshot = nil
        }
    }

    private func lookAround(_ snapshot: PageSnapshot, _ directory: String, _ maximumLogBytes: Int64) throws {
        let log = snapshot.logBytes
        largestLog(log)
        guard log <= maximumLogBytes else {
            throw BackupError.unavailable(
                "the write-ahead log grew to \(log >> 20) MiB while the snapshot was read, which is more than backup.max_wal_mb. Make the "
                    + "backup at a quieter time, to a faster place, or allow more")
        }
        guard let room = DiskRoom(of: directory) else { return }
        guard room.free >= min(Self.tightBytes, room.share) else {
            throw BackupError.refused(
                "only \(room.free >> 20) MiB are free on the disk of the data directory, and the write-ahead log grows as long as a backup is "
                    + "made; make room on it")
        }
    }

    private static func pause(after duration: Duration) {
        let seconds = min(duration.inSeconds * rest, longestRest)
        usleep(UInt32(max(0, seconds) * 1_000_000))
    }

    private func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                spark_thread_priority(Self.nice)
                continuation.resume(with: Result { try body() })
            }
        }
    }

    /// The lower priority of the reader's threads, which end with their work.
    private static let nice: Int32 = 10
}
