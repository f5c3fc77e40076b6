import Synchronization

/// One load under way, and those who wait for it.
final class Flight: Sendable {
    enum Outcome: Sendable {
        /// Nil: there is no such thing.
        case loaded(Payload?)
        case failed(any Error)
        /// Who loaded was cancelled: another must.
        case abandoned
    }

    private struct State {
        var followers: [Waiter<Outcome>] = []
        var outcome: Outcome?
        var isSuperseded = false
    }

    let dependencies: Dependencies
    private let state = Mutex(State())

    init(dependencies: Dependencies) { self.dependencies = dependencies }

    /// What was written in the meantime is newer than what this load will bring.
    func supersede() { state.withLock { $0.isSuperseded = true } }

    /// Whether what it brings may be kept.
    var maySave: Bool { !state.withLock { $0.isSuperseded } && dependencies.areCurrent }

    /// Waits for what the load brings.
    func follow() async throws -> Outcome {
        let waiter = Waiter<Outcome>()
        let outcome = state.withLock { state -> Outcome? in
            if state.outcome == nil { state.followers.append(waiter) }
            return state.outcome
        }
        if let outcome { return outcome }
        return try await waiter.wait()
    }

    func finish(_ outcome: Outcome) {
        let followers = state.withLock { state -> [Waiter<Outcome>] in
            state.outcome = outcome
            defer { state.followers = [] }
            return state.followers
        }
        for follower in followers { _ = follower.fulfil(outcome) }
    }
}
