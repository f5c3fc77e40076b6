import Synchronization

/// Lets one request through and holds the others until it has proven the token: before that Apple allows one stream per
/// connection, and closes connections with more.
final class FirstRequestGate: Sendable {
    enum Entry: Hashable, Sendable {
        /// The other requests wait for this one; its caller must call `leave`.
        case first
        case open
    }

    private struct State {
        var isOpen = false
        var isTrying = false
        /// At most as many as the caller's concurrent requests.
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Waits until the gate is open or no other request is trying. Returns `open` at once when the task is cancelled.
    func enter() async -> Entry {
        while !Task.isCancelled {
            let (entry, signal) = state.withLock { state -> (Entry?, AsyncStream<Void>?) in
                if state.isOpen { return (.open, nil) }
                if !state.isTrying {
                    state.isTrying = true
                    return (.first, nil)
                }
                let (signal, continuation) = AsyncStream.makeStream(of: Void.self)
                state.waiting.append(continuation)
                return (nil, signal)
            }
            if let entry { return entry }
            if let signal { for await _ in signal {} }
        }
        return .open
    }

    /// Called when the first request has been answered or has failed.
    func leave(isProven: Bool) {
        wake { state in
            state.isTrying = false
            state.isOpen = isProven
        }
    }

    /// Closes the gate: the connection that proved the token is gone.
    func close() { state.withLock { $0.isOpen = false } }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.finish() }
    }
}
