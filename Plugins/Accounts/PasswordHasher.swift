import Dispatch
import Metrics
import ServiceLifecycle
import Synchronization

/// Derives password hashes on two threads of its own, behind a bounded wait.
///
/// One derivation takes 128 MiB and a quarter of a second, so neither more at once nor a long queue would do anybody good:
/// at most two run, at most 32 wait, and further callers are refused at once (`AccountsError.busy`).
final class PasswordHasher: Sendable {
    static let workers = 2
    static let longestQueue = 32

    private typealias Job = @Sendable () -> Void

    private struct State {
        var idle: [DispatchQueue]
        var waiting: [Job] = []
        var isClosed = false
    }

    let parameters: PasswordParameters
    private let secrets: SecretSource
    private let metrics: AccountsMetrics
    private let state: Mutex<State>

    init(parameters: PasswordParameters, secrets: SecretSource, metrics: AccountsMetrics) {
        self.parameters = parameters
        self.secrets = secrets
        self.metrics = metrics
        // Serial queues, because on Linux only these have threads beyond those of the global queues.
        self.state = Mutex(State(idle: (0..<Self.workers).map { DispatchQueue(label: "spark.password.\($0)") }))
    }

    /// A new hash with the current parameters and a salt of its own.
    /// - Throws: `AccountsError.busy`.
    func hash(_ password: String) async throws -> PasswordHash {
        let (salt, parameters) = (secrets.bytes(PasswordHash.saltLength), parameters)
        return try await run { try PasswordHash(of: password, salt: salt, parameters: parameters) }
    }

    /// Whether the password belongs to the hash. Without a hash the answer is no, after the same work, so that the time
    /// does not tell whether there is an account.
    /// - Throws: `AccountsError.busy`.
    func verify(_ password: String, against hash: PasswordHash?) async throws -> Bool {
        let (salt, parameters) = (secrets.bytes(PasswordHash.saltLength), parameters)
        return try await run {
            if let hash { return try hash.matches(password) }
            _ = try PasswordHash(of: password, salt: salt, parameters: parameters)
            return false
        }
    }

    /// Whether a hash was made with cheaper parameters than today's.
    func isWeak(_ hash: PasswordHash) -> Bool { hash.parameters.cost < parameters.cost }

    /// Takes no more work; what waits is still done.
    func close() { state.withLock { $0.isClosed = true } }

    /// How many wait.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// - Throws: `AccountsError.busy` when there is no room, or what `body` throws.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let timer = metrics.passwordHash
        return try await withCheckedThrowingContinuation { continuation in
            let isTaken = submit {
                let begin = ContinuousClock.now
                let result = Result { try body() }
                timer.record(duration: ContinuousClock.now - begin)
                continuation.resume(with: result)
            }
            if !isTaken { continuation.resume(throwing: AccountsError.busy) }
        }
    }

    /// False when there is no room.
    private func submit(_ job: @escaping Job) -> Bool {
        enum Decision { case refuse, wait, run(DispatchQueue) }
        let decision: Decision = state.withLock { state in
            guard !state.isClosed else { return .refuse }
            if let queue = state.idle.popLast() { return .run(queue) }
            guard state.waiting.count < Self.longestQueue else { return .refuse }
            state.waiting.append(job)
            return .wait
        }
        switch decision {
        case .refuse: return false
        case .wait: return true
        case .run(let queue):
            queue.async { self.work(job, on: queue) }
            return true
        }
    }

    /// Does the job and then what waits, until nothing does.
    private func work(_ first: Job, on queue: DispatchQueue) {
        var job = first
        while true {
            job()
            let next: Job? = state.withLock { state in
                if !state.waiting.isEmpty { return state.waiting.removeFirst() }
                state.idle.append(queue)
                return nil
            }
            guard let next else { return }
            job = next
        }
    }
}

/// Closes the hasher when the server shuts down.
struct PasswordHasherShutdown: Service {
    let hasher: PasswordHasher

    func run() async throws {
        // Cancelled instead of shut down gracefully: the same end.
        try? await gracefulShutdown()
        hasher.close()
    }
}
