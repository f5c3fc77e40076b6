import SparkCore
import SparkKit
import Synchronization

/// Delays or refuses password attempts as `GuessLedger` decides.
final class GuessGate: Sendable {
    typealias Pause = @Sendable (Duration) async throws -> Void

    private let ledger: Mutex<GuessLedger>
    private let registrations: Mutex<FailureWindows<String>>
    private let registrationsPerDay: Int
    private let clock: any WallClock
    private let queueWait: @Sendable (String, HashLane) -> Duration
    private let pause: Pause

    /// - Parameters:
    ///   - registrationsPerDay: per network; 0 removes the limit.
    ///   - queueWait: the expected wait of a network for a worker in a lane.
    init(
        _ limits: GuessLedger.Limits, registrationsPerDay: Int, clock: any WallClock,
        pause: @escaping Pause = { try await Task.sleep(for: $0) },
        queueWait: @escaping @Sendable (String, HashLane) -> Duration = { _, _ in .zero }
    ) {
        self.ledger = Mutex(GuessLedger(limits))
        self.registrations = Mutex(FailureWindows(window: .seconds(86_400), capacity: limits.capacity))
        self.registrationsPerDay = registrationsPerDay
        self.clock = clock
        self.queueWait = queueWait
        self.pause = pause
    }

    /// Waits as long as the ledger demands, runs `check` and records the outcome. The expected wait in the worker queue counts
    /// towards the wait, so that both together stay below the longest wait.
    /// - Parameter check: whether the password was right. An error is not an outcome and does not count as a guess.
    /// - Throws: `AccountsError.tooManyAttempts`, or an error of `check`.
    func attempt(_ guess: Guess, network: String, check: (HashClaim) async throws -> Bool) async throws -> Bool {
        let now = clock.now()
        var wait: Duration
        switch ledger.withLock({ $0.begin(guess, at: now) }) {
        case .refuse(let rest): throw AccountsError.tooManyAttempts(rest)
        case .check(let after): wait = after
        }
        do {
            let lane = guess.trust == .stranger ? self.lane(of: network) : .known
            if wait > .zero {
                defer { ledger.withLock { $0.waited(guess) } }
                wait = max(.zero, min(wait, PasswordHasher.longestWait - queueWait(network, lane)))
                try await pause(wait)
            }
            let claim = HashClaim(network: network, lane: lane, waited: wait)
            let isRight = try await check(claim)
            if isRight { ledger.withLock { $0.succeeded(guess) } }
            return isRight
        } catch AccountsError.busy(let rest) {
            // The request still counts as load, so a network that keeps asking is not fresh.
            ledger.withLock { $0.withdraw(guess, keepsLoad: true) }
            throw AccountsError.busy(rest)
        } catch {
            ledger.withLock { $0.withdraw(guess) }
            throw error
        }
    }

    /// Runs a registration, unless the network has registered too many accounts within a day.
    /// - Parameter work: does not count if it throws.
    /// - Throws: `AccountsError.tooManyRegistrations`, or an error of `work`.
    func register<Value: Sendable>(
        from network: String, _ work: (HashClaim) async throws -> Value
    ) async throws -> Value {
        let now = clock.now()
        let refusedFor: Duration? = registrations.withLock { table in
            if registrationsPerDay > 0, table.count(of: network, at: now) >= registrationsPerDay {
                return table.rest(of: network, at: now)
            }
            table.add(network, at: now)
            return nil
        }
        if let refusedFor { throw AccountsError.tooManyRegistrations(refusedFor) }
        ledger.withLock { $0.worked(for: network, at: now) }
        do {
            return try await work(HashClaim(network: network, lane: lane(of: network)))
        } catch {
            registrations.withLock { $0.withdraw(network) }
            throw error
        }
    }

    private func lane(of network: String) -> HashLane {
        let now = clock.now()
        return ledger.withLock { $0.lane(of: network, at: now) }
    }
}

extension GuessGate {
    /// Makes the failures and the registrations of a day part of snapshots.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            (ledger.withLock { $0 }, registrations.withLock { $0 })
        } restore: { [self] saved in
            ledger.withLock { $0 = saved.0 }
            registrations.withLock { $0 = saved.1 }
        }
    }
}
