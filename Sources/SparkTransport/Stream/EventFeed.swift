import SparkCore
import Synchronization

/// Wakes whoever waits for a user's events without a WebSocket: an event stream or a poll. Wake-ups that come before one waits are
/// kept, as one.
final class EventFeed: Sendable {
    /// Why a feed ends.
    enum Ending: Sendable {
        /// The client has left.
        case gone
        /// The session ended, or its token.
        case revoked
        /// A newer one of the same person took its place.
        case replaced
        /// The server stops.
        case stopping
    }

    fileprivate struct State {
        var hasSignal = false
        var ending: Ending?
        /// Who waits, the one of this number.
        var waiter: CheckedContinuation<Bool, Never>?
        var number = 0
    }

    let principal: Principal
    var user: UserID { principal.user }
    private let state = Mutex(State())

    init(_ principal: Principal) { self.principal = principal }

    /// Why it ended; nil while it goes on.
    var ending: Ending? { state.withLock { $0.ending } }

    /// The user has a new event.
    func wake() {
        let waiter = state.withLock { state in
            state.hasSignal = state.waiter == nil
            return state.takeWaiter()
        }
        waiter?.resume(returning: true)
    }

    /// Ends the feed; the first reason counts.
    func end(_ ending: Ending) {
        let waiter = state.withLock { state in
            if state.ending == nil { state.ending = ending }
            return state.takeWaiter()
        }
        waiter?.resume(returning: false)
    }

    /// Whether the token still holds.
    func isOpen(at now: Timestamp) -> Bool { principal.expiresAt > now }

    /// Returns after a wake-up, after so long, or when the feed ended. One waits at a time.
    /// - Returns: false when it ended.
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
