import Synchronization

/// Whether the client of an HTTP connection is still there, for answers that take long.
///
/// A client has left when its connection ends, and also when it closes its sending side: browsers and proxies that abandon a
/// request do this first, and they have no use for an answer that is not ready yet.
package final class ClientPresence: Sendable {
    private struct State {
        var hasLeft = false
        var listeners: [UInt64: @Sendable () -> Void] = [:]
        var lastNumber: UInt64 = 0
    }

    private let cut: @Sendable (_ delay: Duration, _ isOver: @escaping @Sendable () -> Bool) -> Void
    private let state = Mutex(State())

    /// - Parameter cut: closes the connection after a delay, unless `isOver` returns true by then.
    package init(cut: @escaping @Sendable (_ delay: Duration, _ isOver: @escaping @Sendable () -> Bool) -> Void) {
        self.cut = cut
    }

    /// Calls `action` once when the client leaves, or at once if it has left. It runs on the event loop or the caller's thread,
    /// so it must be short.
    /// - Returns: A number for `forget`.
    package func whenLeft(_ action: @escaping @Sendable () -> Void) -> UInt64 {
        let (number, hasLeft) = state.withLock { state in
            state.lastNumber += 1
            if !state.hasLeft { state.listeners[state.lastNumber] = action }
            return (state.lastNumber, state.hasLeft)
        }
        if hasLeft { action() }
        return number
    }

    /// Calls the action of this number no more.
    package func forget(_ number: UInt64) { state.withLock { $0.listeners[number] = nil } }

    /// Closes the connection after a delay, unless `isOver` returns true by then.
    package func close(after delay: Duration, unless isOver: @escaping @Sendable () -> Bool) { cut(delay, isOver) }

    /// Notes that the client has left.
    package func leave() {
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            state.hasLeft = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener() }
    }
}
