import SparkCore
import Synchronization

/// Wakes whoever waits for a user's events without a WebSocket: an event stream or a poll. Wake-ups that come before one waits are
/// kept, as one.
final class EventFeed: Sendable {
    fileprivate struct State {
        var hasSignal = false
        var hasEnded = false
        /// Who waits, the one of this number.
        var waiter: CheckedContinuation<Bool, Never>?
        var number = 0
    }

    let user: UserID
    let session: SessionID
    private let expiresAt: Timestamp
    private let state = Mutex(State())

    init(_ principal: Principal) {
        self.user = principal.user
        self.session = principal.session
        self.expiresAt = principal.expiresAt
    }

    /// The user has a new event.
    func wake() {
        let waiter = state.withLock { state in
            state.hasSignal = state.waiter == nil
            return state.takeWaiter()
        }
        waiter?.resume(returning: true)
    }

    /// The feed is to end: the session was revoked, the client is gone, or the server goes away.
    func end() {
        let waiter = state.withLock { state in
            state.hasEnded = true
            return state.takeWaiter()
        }
        waiter?.resume(returning: false)
    }

    /// Whether the token still holds.
    func isOpen(at now: Timestamp) -> Bool { expiresAt > now }

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
                    if state.hasEnded || Task.isCancelled { return false }
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
            end()
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

/// Lets a feed go when nobody holds it any more, however its request ended.
final class FeedLease: Sendable {
    private let hub: Hub
    let feed: EventFeed

    init(_ feed: EventFeed, hub: Hub) {
        self.feed = feed
        self.hub = hub
    }

    deinit { hub.leave(feed) }
}
