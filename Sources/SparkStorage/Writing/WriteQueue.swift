import CGatheredLog
import CSpatiaLite
import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import SparkCore
import Synchronization

/// The single writer. It commits all writes together that arrive during the previous commit (group commit).
///
/// A write is answered only after its commit is on the disk. Each write has its own savepoint, so an error rolls back that
/// write only. The queue has a bounded length, and a write that waited too long gets `StorageError.busy` without being run.
/// After a failed commit the pages in memory can no longer be trusted (Rebello et al., "Can applications recover from fsync
/// failures?", USENIX ATC 2020), so the queue halts for good.
final class WriteQueue: Sendable {
    struct Limits: Sendable {
        /// The most writes that may wait.
        var capacity = 8_192
        /// The most writes in one commit.
        var batch = 256
        /// How long a write may wait before it starts.
        var patience: Duration = .seconds(5)
    }

    private struct Job: Sendable {
        let deadline: ContinuousClock.Instant
        /// What a test wants to go wrong.
        let fault: WriteFault?
        /// Runs the write and keeps its result. Throws the write's error.
        let run: @Sendable (WriteTransaction) throws -> Void
        /// Answers the caller; nil means success.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var isDraining = false
        var refusal: StorageError?
        var failure: StorageFailure?
    }

    /// Set once, before the first write.
    private struct Observers: Sendable {
        var commits: any CommitObserver = EffectRunner()
        var count: (@Sendable (Int64) -> Void)?
        var failure: (@Sendable (StorageFailure) -> Void)?
    }

    private let pool: any DatabaseWriter
    private let path: String
    /// Commits wait for the disk and are counted.
    private let isDurable: Bool
    private let observers = Mutex(Observers())
    private let clock: any WallClock
    private let limits: Limits
    private let thread = DispatchQueue(label: "spark.writer", qos: .userInitiated)
    private let state = Mutex(State())
    /// The number of the last commit; nil until the first one of this process.
    private let lastCommit = Mutex<Int64?>(nil)
    private let metrics: StorageMetrics
    private let faults: (any WriteFaults)?

    init(
        pool: any DatabaseWriter, clock: any WallClock, limits: Limits, metrics: StorageMetrics, path: String, isDurable: Bool,
        faults: (any WriteFaults)? = nil
    ) {
        self.pool = pool
        self.path = path
        self.isDurable = isDurable
        self.clock = clock
        self.limits = limits
        self.metrics = metrics
        self.faults = faults
    }

    /// Why writes are refused; nil if they are accepted.
    var refusal: StorageError? { state.withLock { $0.refusal } }

    /// The failure of the disk; nil if there was none.
    var failure: StorageFailure? { state.withLock { $0.failure } }

    /// Refuses every further write.
    func refuseAll() { state.withLock { $0.refusal = .closed } }

    func observeCommits(_ observer: any CommitObserver) { observers.withLock { $0.commits = observer } }

    func countCommits(_ note: @escaping @Sendable (Int64) -> Void) { observers.withLock { $0.count = note } }

    func observeFailure(_ receive: @escaping @Sendable (StorageFailure) -> Void) { observers.withLock { $0.failure = receive } }

    /// The number of waiting writes.
    var depth: Int { state.withLock { $0.waiting.count } }

    func write<Value: Sendable>(_ body: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        let result = Mutex<Value?>(nil)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            submit(
                Job(
                    deadline: .now.advanced(by: limits.patience), fault: faults?.ofNextWrite(),
                    run: { transaction in
                        let value = try body(transaction)
                        result.withLock { $0 = value }
                    },
                    finish: { error in
                        if let error { continuation.resume(throwing: error) } else { continuation.resume() }
                    }))
        }
        guard let value = result.withLock({ $0 }) else { throw StorageError.closed }
        return value
    }

    func submit(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Void,
        completion: @escaping @Sendable ((any Error)?) -> Void
    ) {
        submit(
            Job(
                deadline: .now.advanced(by: limits.patience), fault: faults?.ofNextWrite(), run: body, finish: completion))
    }

    /// Runs a body on the writer's thread between two commits. Writes that come meanwhile wait.
    /// - Parameter refusingWaiting: whether these writes are refused with `StorageError.busy` if the body succeeds.
    /// - Throws: a `StorageError` if writes are refused already, and what `body` throws.
    func alone<Value: Sendable>(
        refusingWaiting: Bool = false, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            thread.async { [self] in
                if let refusal { return continuation.resume(throwing: refusal) }
                // Holds the connection, which bulk work uses outside of the queue.
                let result = Result { try pool.writeWithoutTransaction { _ in try body() } }
                if refusingWaiting, case .success = result { refuseWaiting() }
                continuation.resume(with: result)
            }
        }
    }

    private func refuseWaiting() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        metrics.refused(waiting.count)
        for job in waiting { job.finish(StorageError.busy) }
    }

    /// Refuses further writes and returns after the waiting ones are done.
    func close() async {
        state.withLock { state in
            if state.refusal == nil { state.refusal = .closed }
        }
        await withCheckedContinuation { continuation in
            thread.async { continuation.resume() }
        }
    }

    private func submit(_ job: Job) {
        enum Decision { case wait, drain, refuse(StorageError) }
        let decision: Decision = state.withLock { state in
            if let refusal = state.refusal { return .refuse(refusal) }
            guard state.waiting.count < limits.capacity else { return .refuse(.busy) }
            state.waiting.append(job)
            if state.isDraining { return .wait }
            state.isDraining = true
            return .drain
        }
        switch decision {
        case .wait: break
        case .drain: thread.async { self.drain() }
        case .refuse(let error):
            metrics.refused()
            job.finish(error)
        }
    }

    private func drain() {
        while let batch = nextBatch() {
            let now = ContinuousClock.now
            var live: [Job] = []
            for job in batch {
                metrics.waited(limits.patience - (job.deadline - now))
                if job.deadline > now {
                    live.append(job)
                } else {
                    metrics.refused()
                    job.finish(StorageError.busy)
                }
            }
            if !live.isEmpty { commit(live) }
        }
    }

    private func nextBatch() -> [Job]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isDraining = false
                return nil
            }
            let count = min(limits.batch, state.waiting.count)
            let batch = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            return batch
        }
    }

    private func commit(_ batch: [Job]) {
        if let refusal, case .halted = refusal {
            metrics.refused(batch.count)
            for job in batch { job.finish(refusal) }
            return
        }
        let start = ContinuousClock.now
        for delay in batch.lazy.compactMap(\.fault?.delay) { Thread.sleep(forTimeInterval: delay.inSeconds) }
        let observers = observers.withLock { $0 }
        var outcomes = [(any Error)?](repeating: nil, count: batch.count)
        var consequences: [Consequence] = []
        var commits: Int64?
        var systemError: Int32 = 0
        do {
            try pool.writeWithoutTransaction { database in
                // Without a synchronisation at the commit the gathered frames would be written too late.
                let connection = isDurable ? database.sqliteConnection : nil
                if let connection { spark_log_begin_gathering(connection) }
                defer { if let connection { spark_log_end_gathering(connection) } }
                do {
                    try database.run("BEGIN IMMEDIATE")
                    let changes = database.totalChangesCount
                    var isRefused = false
                    for (index, job) in batch.enumerated() {
                        let transaction = WriteTransaction(session: SQLSession(database), now: clock.now())
                        do {
                            // A write alone in its commit needs no savepoint: if it fails, nothing is committed.
                            try inSavepoint(of: database, unless: batch.count == 1) {
                                try job.run(transaction)
                                try transaction.show(to: observers.commits)
                            }
                            consequences += transaction.consequences
                        } catch {
                            // On errors such as a full disk, SQLite rolls back the whole transaction.
                            guard database.isInsideTransaction else { throw error }
                            outcomes[index] = error
                            isRefused = batch.count == 1
                        }
                    }
                    guard !isRefused else { return try database.run("ROLLBACK") }
                    if batch.contains(where: { $0.fault?.findsFullDisk == true }) {
                        throw DatabaseError(resultCode: .SQLITE_FULL)
                    }
                    // A commit that changes nothing does not reach the disk. Counting it would change something, so it is not
                    // counted.
                    if isDurable, database.totalChangesCount != changes { commits = try countCommit(in: database) }
                    if !consequences.isEmpty { observers.commits.willCommit(consequences) }
                    try database.run("COMMIT")
                } catch {
                    systemError = database.sqliteConnection.map { spark_last_system_error($0) } ?? 0
                    // Best effort: SQLite may already have rolled back.
                    if database.isInsideTransaction { try? database.run("ROLLBACK") }
                    throw error
                }
            }
        } catch {
            let answer = failure(for: error, systemError: systemError)
            metrics.refused(batch.count)
            for job in batch { job.finish(answer) }
            return
        }
        metrics.committed(batch.count, in: ContinuousClock.now - start)
        if let commits { lastCommit.withLock { $0 = commits } }
        if let commits, let note = observers.count { note(commits) }
        if !consequences.isEmpty { observers.commits.didCommit(consequences) }
        for (job, outcome) in zip(batch, outcomes) { job.finish(outcome) }
    }

    /// Stores the number of commits in the commit itself. The number of the last commit is in memory: this queue is the only
    /// writer.
    private func countCommit(in database: Database) throws -> Int64? {
        let last =
            try lastCommit.withLock { $0 } ?? database.statement("SELECT commits FROM spark_commits").row([]) { $0.integer(0) }
        guard let last else { return nil }
        try database.statement("UPDATE spark_commits SET commits = ?").run([.integer(last + 1)])
        return last + 1
    }

    private func inSavepoint(of database: Database, unless isAlone: Bool, _ body: () throws -> Void) throws {
        if isAlone { return try body() }
        try database.run("SAVEPOINT job")
        do {
            try body()
            try database.run("RELEASE job")
        } catch {
            if database.isInsideTransaction {
                try database.run("ROLLBACK TO job")
                try database.run("RELEASE job")
            }
            throw error
        }
    }

    /// The error for the callers of a commit that failed as a whole.
    private func failure(for error: any Error, systemError: Int32) -> any Error {
        guard let code = (error as? SQLError)?.code ?? (error as? DatabaseError)?.extendedResultCode.rawValue else {
            return error
        }
        switch code & 0xFF {
        case SQLITE_FULL: return StorageError.full
        case SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_READONLY:
            halt(StorageFailure(code: code, systemError: systemError, path: path))
            return StorageError.halted
        case SQLITE_BUSY: return StorageError.busy
        default: return error
        }
    }
}

extension WriteQueue {
    func halt(_ failure: StorageFailure) {
        let isFirst = state.withLock { state in
            state.refusal = .halted
            defer { state.failure = state.failure ?? failure }
            return state.failure == nil
        }
        if isFirst, let receive = observers.withLock({ $0.failure }) { receive(failure) }
    }
}

extension Database {
    /// Runs a statement without values.
    fileprivate func run(_ sql: String) throws { try statement(sql).run([]) }
}
