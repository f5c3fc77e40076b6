import Synchronization

/// Lets one request through and holds the others until it has shown the token to be good: Apple allows a connection one stream
/// before that, and drops those that open more.
final class FirstRequestGate: Sendable {
    enum Entry: Hashable, Sendable {
        /// The others wait for what becomes of this one; it must call `leave`.
        case first
        case open
    }

    private struct State {
        var isOpen = false
        var isTrying = false
        /// As many as the caller has requests under way.
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Waits until the gate is open or nobody else tries; returns at once, and as `open`, when the task is cancelled.
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

    /// The first has been answered, or will not be.
    func leave(isProven: Bool) {
        wake { state in
            state.isTrying = false
            state.isOpen = isProven
        }
    }

    /// What was proven was so of a connection that has gone.
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
