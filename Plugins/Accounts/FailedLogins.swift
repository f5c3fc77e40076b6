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
        let number: Int
        let end: Timestamp
        var count: Int
    }

    private struct State {
        var windows: [SHA256Digest: Window] = [:]
        /// The windows in the order in which they began, so also in which they end; some of them gone already.
        var order: [(address: SHA256Digest, number: Int)] = []
        var head = 0
        var lastNumber = 0
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
            state.lastNumber += 1
            state.windows[address] = Window(number: state.lastNumber, end: now + window, count: 1)
            state.order.append((address, state.lastNumber))
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
        while state.head < state.order.count {
            let (address, number) = state.order[state.head]
            if let window = state.windows[address], window.number == number {
                guard window.end <= now || state.windows.count > capacity else { break }
                state.windows[address] = nil
            }
            state.head += 1
        }
        // Logins that succeed leave lines behind anywhere; at twice the capacity at least half of the lines are such.
        if state.order.count > capacity * 2 {
            state.order = state.order[state.head...].filter { state.windows[$0.address]?.number == $0.number }
            state.head = 0
        }
    }

    private static func key(_ email: String) -> SHA256Digest { SHA256.hash(data: Array(email.utf8)) }
}
