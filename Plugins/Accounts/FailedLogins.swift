import Crypto
import SparkCore
import Synchronization

/// Counts failed logins of each e-mail address, whether or not there is such an account.
///
/// An attempt is counted when it begins and taken back when it turns out well, so that attempts at the same time cannot
/// pass the limit together. The table is bounded; beyond, the oldest windows are dropped (who floods it with invented
/// addresses meets the limit of their own address first).
final class FailedLogins: Sendable {
    static let capacity = 50_000

    private struct Window {
        let end: Timestamp
        var count: Int
    }

    private struct State {
        var windows: [SHA256Digest: Window] = [:]
        /// In the order in which the windows began, so also in which they end; may hold lines of windows that are gone.
        var order: [(address: SHA256Digest, end: Timestamp)] = []
        var head = 0
    }

    private let limit: Int
    private let window: Duration
    private let capacity: Int
    private let state = Mutex(State())

    init(limit: Int, window: Duration, capacity: Int = FailedLogins.capacity) {
        self.limit = limit
        self.window = window
        self.capacity = capacity
    }

    /// Counts an attempt as failed until told otherwise.
    /// - Throws: `AccountsError.tooManyAttempts`; then nothing is counted.
    func begin(_ email: String, at now: Timestamp) throws {
        let address = Self.key(email)
        let refusedUntil: Timestamp? = state.withLock { state in
            if let window = state.windows[address], window.end > now {
                guard window.count < limit else { return window.end }
                state.windows[address]?.count += 1
                return nil
            }
            let end = now + window
            state.windows[address] = Window(end: end, count: 1)
            state.order.append((address, end))
            makeRoom(&state, at: now)
            return nil
        }
        if let refusedUntil { throw AccountsError.tooManyAttempts(refusedUntil - now) }
    }

    /// The attempt succeeded: the address begins anew.
    func forget(_ email: String) {
        state.withLock { $0.windows[Self.key(email)] = nil }
    }

    /// The attempt was never decided: it does not count.
    func withdraw(_ email: String) {
        let address = Self.key(email)
        state.withLock { state in
            guard let window = state.windows[address] else { return }
            if window.count <= 1 { state.windows[address] = nil } else { state.windows[address]?.count -= 1 }
        }
    }

    var count: Int { state.withLock { $0.windows.count } }

    private func makeRoom(_ state: inout State, at now: Timestamp) {
        // A login that succeeds leaves its line behind, so the lines need a bound of their own.
        while state.head < state.order.count {
            let (address, end) = state.order[state.head]
            let isStale = state.windows[address]?.end != end
            let isOver = end <= now || state.windows.count > capacity || state.order.count - state.head > capacity * 2
            guard isStale || isOver else { break }
            if !isStale { state.windows[address] = nil }
            state.head += 1
        }
        if state.head > 1_024, state.head * 2 > state.order.count {
            state.order.removeFirst(state.head)
            state.head = 0
        }
    }

    private static func key(_ email: String) -> SHA256Digest { SHA256.hash(data: Array(email.utf8)) }
}
