import Dispatch
import Metrics
import ServiceLifecycle
import SparkKit
import Synchronization

/// The origin of a request for a password hash.
struct HashClaim: Sendable {
    let network: String
    let lane: HashLane
    /// How long the request has already waited; part of the longest wait.
    var waited = Duration.zero
}

/// Derives password hashes on two threads, behind a bounded and fair queue.
///
/// One derivation takes 128 MiB and a quarter of a second, so at most two run at once, fewer if the admission ledger or the
/// system has less memory. Waiting requests take turns by network (see `FairQueue`). A request that would wait longer than
/// `longestWait` is refused at once.
final class PasswordHasher: Sendable {
    static let workers = 2
    /// From the request to the start of its derivation, including a wait for earlier guesses.
    static let longestWait = Duration.seconds(5)

    private struct Job: Sendable {
        let memory: Int
        let run: @Sendable () -> Void
        let refuse: @Sendable (any Error) -> Void
    }

    private struct State {
        var idle: [DispatchQueue]
        var waiting: FairQueue<Job>
        /// Taken from the queue when there was no memory for it; the next job to run.
        var held: Job?
        var running = 0
        var isClosed = false
    }

    let parameters: PasswordParameters
    private let secrets: SecretSource
    private let metrics: AccountsMetrics
    private let admission: Admission
    private let headroom: MemoryHeadroom
    private let uptime: @Sendable () -> Duration
    private let state: Mutex<State>

    /// - Parameter uptime: the time since any fixed moment; must be monotonic.
    init(
        parameters: PasswordParameters, secrets: SecretSource, metrics: AccountsMetrics, admission: Admission,
        headroom: MemoryHeadroom = MemoryHeadroom(), limits: FairQueue<Never>.Limits = .init(),
        uptime: (@Sendable () -> Duration)? = nil
    ) {
        self.parameters = parameters
        self.secrets = secrets
        self.metrics = metrics
        self.admission = admission
        self.headroom = headroom
        let start = ContinuousClock.now
        self.uptime = uptime ?? { start.duration(to: .now) }
        let atOnce = (admission.limits[.hashing].total ?? .max) / max(1, parameters.memory)
        // Serial queues, because on Linux only these have threads outside of the global pool.
        self.state = Mutex(
            State(
                idle: (0..<Self.workers).map { DispatchQueue(label: "spark.password.\($0)") },
                waiting: FairQueue(
                    .init(
                        perNetwork: limits.perNetwork, total: limits.total, workers: max(1, min(Self.workers, atOnce))))))
    }

    /// Makes a new hash with the current parameters and a fresh salt.
    /// - Throws: `AccountsError.busy`, or `AdmissionRefused` when the server has no room.
    func hash(_ password: String, for claim: HashClaim) async throws -> PasswordHash {
        let (salt, parameters) = (secrets.bytes(PasswordHash.saltLength), parameters)
        return try await run(for: claim, memory: parameters.memory) {
            try PasswordHash(of: password, salt: salt, parameters: parameters)
        }
    }

    /// Whether the password belongs to the hash. Without a hash returns false after the same work, so that the response time
    /// does not reveal whether the account exists.
    /// - Throws: `AccountsError.busy`, or `AdmissionRefused` when the server has no room.
    func verify(_ password: String, against hash: PasswordHash?, for claim: HashClaim) async throws -> Bool {
        let (salt, parameters) = (secrets.bytes(PasswordHash.saltLength), parameters)
        return try await run(for: claim, memory: (hash?.parameters ?? parameters).memory) {
            if let hash { return try hash.matches(password) }
            _ = try PasswordHash(of: password, salt: salt, parameters: parameters)
            return false
        }
    }

    /// Whether a hash was made with cheaper parameters than the current ones.
    func isWeak(_ hash: PasswordHash) -> Bool { hash.parameters.cost < parameters.cost }

    /// Refuses new work. Jobs that already wait are still done.
    func close() { state.withLock { $0.isClosed = true } }

    /// The number of waiting jobs.
    var waitingCount: Int { state.withLock { $0.waiting.count + ($0.held == nil ? 0 : 1) } }

    /// An estimate of how long a request would wait for its derivation to start.
    func expectedWait(of network: String, in lane: HashLane) -> Duration {
        state.withLock { state in
            // Adds the running jobs, which are not finished, and a margin for the error of the estimate.
            state.waiting.expectedWait(of: network, in: lane) + state.waiting.cost * 2
        }
    }

    /// The number of running derivations.
    var runningCount: Int { state.withLock { $0.running } }

    /// - Throws: `AccountsError.busy` or `AdmissionRefused` when there is no room, or an error of `body`.
    func run<Value: Sendable>(
        for claim: HashClaim, memory: Int, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let timer = metrics.passwordHash
        return try await withCheckedThrowingContinuation { continuation in
            submit(
                Job(
                    memory: memory,
                    run: { [self] in
                        let begin = uptime()
                        let result = Result { try body() }
                        let time = uptime() - begin
                        timer.record(duration: time)
                        state.withLock { $0.waiting.worked(for: time) }
                        continuation.resume(with: result)
                    }, refuse: { continuation.resume(throwing: $0) }), for: claim)
        }
    }

    private static var full: AdmissionRefused { AdmissionRefused(resource: .hashing, scope: .total) }

    private func submit(_ job: Job, for claim: HashClaim) {
        let now = uptime()
        let deadline = now + max(.zero, Self.longestWait - claim.waited)
        let refused: (job: Job, error: any Error)? = state.withLock { state in
            guard !state.isClosed else { return (job, AccountsError.busy()) }
            return switch state.waiting.push(job, network: claim.network, lane: claim.lane, deadline: deadline, at: now) {
            case .waits: nil
            case .displaced(let other): (other, AccountsError.busy())
            case .networkIsFull: (job, AccountsError.busy())
            case .isFull: (job, Self.full)
            case .tooLate(let wait): (job, AccountsError.busy(wait))
            }
        }
        pump()
        if let refused {
            metrics.hashesRefused.increment()
            refused.job.refuse(refused.error)
        }
    }

    /// Starts as many jobs as possible.
    private func pump() {
        enum Step { case rest, run(Job, AdmissionPermit, DispatchQueue), refuse(Job) }
        while true {
            let step: Step = state.withLock { state in
                guard let queue = state.idle.last, let job = state.held ?? state.waiting.pop() else { return .rest }
                state.held = nil
                if let permit = permit(for: job) {
                    state.idle.removeLast()
                    state.running += 1
                    return .run(job, permit, queue)
                }
                // A running job frees its memory when it ends, and calls `pump` again.
                guard state.running == 0 else {
                    state.held = job
                    return .rest
                }
                return .refuse(job)
            }
            switch step {
            case .rest: return giveUpOverdue()
            case .refuse(let job): job.refuse(Self.full)
            case .run(let job, let permit, let queue):
                queue.async {
                    job.run()
                    permit.end()
                    self.state.withLock { state in
                        state.idle.append(queue)
                        state.running -= 1
                    }
                    self.pump()
                }
            }
        }
    }

    private func giveUpOverdue() {
        let now = uptime()
        for job in state.withLock({ $0.waiting.expire(at: now) }) {
            metrics.hashesRefused.increment()
            job.refuse(AccountsError.busy())
        }
    }

    private func permit(for job: Job) -> AdmissionPermit? {
        guard job.memory < MemoryHeadroom.reserve || headroom.allows(job.memory) else { return nil }
        return try? admission.permit(for: .hashing, amount: job.memory)
    }
}

/// Closes the hasher when the server shuts down.
struct PasswordHasherShutdown: Service {
    let hasher: PasswordHasher

    func run() async throws {
        // Cancellation is handled like a graceful shutdown.
        try? await gracefulShutdown()
        hasher.close()
    }
}
