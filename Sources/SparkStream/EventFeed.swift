import SparkCore
import Synchronization

/// Wakes an event stream or a poll when its user has new events. It remembers wake-ups that arrive while no task waits, as a
/// single one.
final class EventFeed: Sendable {
    /// Why a feed ends.
    enum Ending: Sendable {
        /// The client has disconnected.
        case gone
        /// The session or its token ended.
        case revoked
        /// A newer connection of the same user took its place.
        case replaced
        /// The server is stopping.
        case stopping
    }

    fileprivate struct State {
        var hasSignal = false
        var ending: Ending?
        /// The waiting task, identified by `number`.
        var waiter: CheckedContinuation<Bool, Never>?
        var number = 0
    }

    let principal: Principal
    var user: UserID { principal.user }
    private let state = Mutex(State())

    init(_ principal: Principal) { self.principal = principal }

    /// Why the feed ended; nil while it is open.
    var ending: Ending? { state.withLock { $0.ending } }

    /// Signals that the user has a new event.
    func wake() {
        let waiter = state.withLock { state in
            state.hasSignal = state.waiter == nil
            return state.takeWaiter()
        }
        waiter?.resume(returning: true)
    }

    /// Ends the feed. Only the first reason is kept.
    func end(_ ending: Ending) {
        let waiter = state.withLock { state in
            if state.ending == nil { state.ending = ending }
            return state.takeWaiter()
        }
        waiter?.resume(returning: false)
    }

    /// Whether the token is still valid.
    func isOpen(at now: Timestamp) -> Bool { principal.expiresAt > now }

    /// Returns after a wake-up, after `limit`, or when the feed ends. Only one task may wait at a time.
    /// - Returns: false when the feed has ended.
    func wait(atMost limit: Duration) async -> Bool {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        let alarm = Task {
            try? await Task.sleep(for: limit)
            timeOut(number)
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.ending != nil || Task.isCancelled { return false }
                    if state.hasSignal {
                        state.hasSignal = false
                        return true
                    }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            end(.gone)
        }
    }

    private func timeOut(_ number: Int) {
        let waiter = state.withLock { state in state.number == number ? state.takeWaiter() : nil }
        waiter?.resume(returning: true)
    }
}

extension EventFeed.State {
    fileprivate mutating func takeWaiter() -> CheckedContinuation<Bool, Never>? {
        defer { waiter = nil }
        return waiter
    }
}
