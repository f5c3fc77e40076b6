import Foundation
import Glibc
import Logging
import SparkFiles
import SparkStorage
import Synchronization

/// Records in the data directory which state of the database the server leaves, so that the next start recognizes any other
/// state.
final class DirectoryKeeping: Sendable {
    private struct State: Sendable {
        var marks = DirectoryMarks()
        var log: CommitLog?
        /// Whether the history has the epoch that it needs.
        var isBegun = false
    }

    let finding: DirectoryFinding
    private let directory: DataDirectory
    private let logger: Logger
    private let state: Mutex<State>

    /// When nothing is tracked, every method here does nothing.
    private var isKept: Bool { finding.history != .unkept }

    init(_ directory: DataDirectory, finding: DirectoryFinding, logger: Logger) {
        self.directory = directory
        self.finding = finding
        self.logger = logger
        var state = State()
        state.marks.known = [finding.inspection?.mark ?? ""]
        state.marks.needsNewEpoch = finding.isNewHistory
        self.state = Mutex(state)
    }

    /// Marks the directory as used. Called once the database is open and the commits that created it are on the disk.
    func begin(_ storage: SQLiteStorage) throws {
        guard isKept else { return }
        do {
            let log: CommitLog
            do {
                log = try CommitLog(in: directory.url, commits: finding.inspection?.commits ?? 0)
            } catch let error as FileError where !(error.fault.isOutOfSpace && finding.history == .same) {
                throw StorageOpenError(
                    operation: "\(error.operation) \(CommitLog.name)", path: error.path, hint: "\(error.fault)")
            }
            state.withLock { $0.log = log }
            storage.countCommits { log.note($0) }
        } catch let error as FileError where error.fault.isOutOfSpace && finding.history == .same {
            warn(of: error)
        }
        guard finding.marks == nil else { return }
        try directory.storing { try write { _ in } }
    }

    /// Gives the database a new mark, and its history a new epoch where it needs one.
    /// - Returns: the mark that the cache's files belong to, the new mark, and the epoch of the history.
    func beginRun(_ storage: SQLiteStorage, mark: String, epoch: String) async throws -> (
        lastMark: String, mark: String, epoch: String
    ) {
        guard isKept else {
            let run = try await storage.beginRun(mark: mark, epoch: epoch, isNewHistory: false)
            return (run.lastMark, mark, run.epoch)
        }
        let isNew = finding.isNewHistory
        if isNew { directory.discardDerived() }
        do {
            try write { $0.known = [finding.inspection?.mark ?? "", mark] }
            let run = try await storage.beginRun(mark: mark, epoch: epoch, isNewHistory: isNew)
            try write {
                $0.known = [mark]
                $0.needsNewEpoch = false
            }
            state.withLock { $0.isBegun = true }
            SpaceReserve.keep(in: directory.url)
            return (isNew ? "none of \(mark)" : run.lastMark, mark, run.epoch)
        } catch {
            guard isOutOfSpace(error), !isNew, let last = try storage.lastRun() else {
                if let error = error as? FileError {
                    throw StorageOpenError(operation: error.operation, path: error.path, hint: "\(error.fault)")
                }
                guard isOutOfSpace(error) else { throw error }
                throw StorageOpenError(
                    operation: "begin a run", path: directory.database.path,
                    hint: "\(FileFault(code: ENOSPC)): nothing can be written")
            }
            // Existing data can be served; writes are refused until there is room on the disk.
            warn(of: error)
            return (last.mark, last.mark, last.epoch)
        }
    }

    /// Records how the run ended. Called after the database was closed in order.
    func end() {
        guard isKept, let status = FileStatus(path: directory.database.path) else { return }
        let log = state.withLock { $0.log }
        let rest = DirectoryMarks.Rest(
            commits: log?.commits ?? finding.inspection?.commits ?? 0, modified: status.modified, bytes: status.bytes)
        // A verb that changed nothing leaves the record unchanged.
        let isBegun = state.withLock { $0.isBegun }
        if !isBegun, finding.marks?.rest == rest { return }
        do {
            try write { $0.rest = rest }
        } catch {
            // The next start treats this as an unclean end.
            logger.warning("the end of the run could not be noted", metadata: ["error": "\(error)"])
        }
    }

    private func write(_ change: (inout DirectoryMarks) -> Void) throws {
        let marks = state.withLock { state in
            change(&state.marks)
            state.marks.database = FileStatus(path: directory.database.path)?.identity
            return state.marks
        }
        try marks.write(in: directory.url)
    }

    private func isOutOfSpace(_ error: any Error) -> Bool {
        if let error = error as? FileError { return error.fault.isOutOfSpace }
        if let error = error as? StorageError, case .full = error { return true }
        return false
    }

    private func warn(of error: any Error) {
        logger.error(
            "the disk is full (ENOSPC): the server starts, serves what is there and refuses writes until there is room",
            metadata: ["directory": .string(directory.url.path)])
    }
}
