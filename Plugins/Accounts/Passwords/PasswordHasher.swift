import Dispatch
import Metrics
import ServiceLifecycle
import SparkKit
import Synchronization

/// Who waits for a password hash.
struct HashClaim: Sendable {
    let network: String
    let lane: HashLane
    /// How long the claimant has waited before; part of the longest wait.
    var waited = Duration.zero
}

/// Derives password hashes on two threads of its own, behind a bounded and fair wait.
///
/// One derivation takes 128 MiB and a quarter of a second, so neither more at once nor a long queue would do anybody good: at
/// most two run, fewer where the ledger of admission or the system has less memory; what waits takes turns by network (see
/// `FairQueue`), and nobody waits for longer than `longestWait`: who would is refused at once.
final class PasswordHasher: Sendable {
    static let workers = 2
    /// From the request to the beginning of its derivation, a wait for earlier guesses included.
    static let longestWait = Duration.seconds(5)

    private struct Job: Sendable {
        let memory: Int
        let run: @Sendable () -> Void
        let refuse: @Sendable (any Error) -> Void
    }

    private struct State {
        var idle: [DispatchQueue]
        var waiting: FairQueue<Job>
        /// Taken from the queue when there was no memory for it; the next one that runs.
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

    /// - Parameter uptime: the time since any fixed moment; never goes back.
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
        // Serial queues, because on Linux only these have threads beyond those of the global queues.
        self.state = Mutex(
            State(
                idle: (0..<Self.workers).map { DispatchQueue(label: "spark.password.\($0)") },
                waiting: FairQueue(
                    .init(
                        perNetwork: limits.perNetwork, total: limits.total, workers: max(1, min(Self.workers, atOnce))))))
    }

    /// A new hash with the current parameters and a salt of its own.
    /// - Throws: `AccountsError.busy`, or `AdmissionRefused` where the server as a whole has no room.
    func hash(_ password: String, for claim: HashClaim) async throws -> PasswordHash {
        let (salt, parameters) = (secrets.bytes(PasswordHash.saltLength), parameters)
        return try await run(for: claim, memory: parameters.memory) {
            try PasswordHash(of: password, salt: salt, parameters: parameters)
        }
    }

    /// Whether the password belongs to the hash. Without a hash the answer is no, after the same work, so that the time
    /// does not tell whether there is an account.
    /// - Throws: `AccountsError.busy`, or `AdmissionRefused` where the server as a whole has no room.
    func verify(_ password: String, against hash: PasswordHash?, for claim: HashClaim) async throws -> Bool {
        let (salt, parameters) = (secrets.bytes(PasswordHash.saltLength), parameters)
        return try await run(for: claim, memory: (hash?.parameters ?? parameters).memory) {
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
    var waitingCount: Int { state.withLock { $0.waiting.count + ($0.held == nil ? 0 : 1) } }

    /// How long a claimant would wait for the beginning of a derivation, as far as can be told.
    func expectedWait(of network: String, in lane: HashLane) -> Duration {
        state.withLock { state in
            // Those that run are not over yet, and what is expected may turn out a little longer.
            state.waiting.expectedWait(of: network, in: lane) + state.waiting.cost * 2
        }
    }

    /// How many are being derived.
    var runningCount: Int { state.withLock { $0.running } }

    /// - Throws: `AccountsError.busy` or `AdmissionRefused` when there is no room, or what `body` throws.
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

    /// Starts what can be started.
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
                // What is running gives its memory back and comes by here again.
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
        // Cancelled instead of shut down gracefully: the same end.
        try? await gracefulShutdown()
        hasher.close()
    }
}
