import DequeModule
import Synchronization

/// Limits how many loads run at the same time. Further loads wait in order, and beyond `capacity` they are refused.
final class LoadLimiter: Sendable {
    private struct State {
        var running = 0
        /// In order of arrival; cancelled ones stay until their turn comes.
        var waiters: Deque<Waiter<Void>> = []
    }

    private let limit: Int
    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: loads at the same time, at least 1.
    ///   - capacity: loads that may wait.
    init(limit: Int, capacity: Int) {
        self.limit = max(1, limit)
        self.capacity = capacity
    }

    /// Whether a load could start at once.
    var hasRoom: Bool { state.withLock { $0.running < limit } }

    /// Runs a load when its turn comes.
    /// - Throws: `CacheError.overloaded` when too many wait, `CancellationError` when cancelled while waiting, and what the load throws.
    func run<Value>(_ load: () async throws -> Value) async throws -> Value {
        try await enter()
        defer { leave() }
        return try await load()
    }

    private func enter() async throws {
        enum Decision { case run, refuse, wait(Waiter<Void>) }
        let decision: Decision = state.withLock { state in
            if state.running < limit {
                state.running += 1
                return .run
            }
            guard state.waiters.count < capacity else { return .refuse }
            let waiter = Waiter<Void>()
            state.waiters.append(waiter)
            return .wait(waiter)
        }
        switch decision {
        case .run: return
        case .refuse: throw CacheError.overloaded
        case .wait(let waiter): try await waiter.wait()
        }
    }

    /// Hands the place to the first waiter that was not cancelled.
    private func leave() {
        while true {
            let next = state.withLock { state -> Waiter<Void>? in
                guard let next = state.waiters.popFirst() else {
                    state.running -= 1
                    return nil
                }
                return next
            }
            guard let next, !next.fulfil(()) else { return }
        }
    }
}
