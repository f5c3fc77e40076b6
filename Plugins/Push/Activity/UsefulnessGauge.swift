import SparkCore
import SparkKit
import Synchronization

/// Detects pushes that brought no news: the message was read within ten seconds of its push.
final class UsefulnessGauge: Sendable {
    private static let window = Duration.seconds(10)
    /// Maximum pushes remembered; beyond it the rate is computed from a sample.
    private static let capacity = 20_000

    private struct Key: Hashable {
        let user: UserID
        let conversation: Int64
    }

    private struct State {
        var sent: [Key: Timestamp] = [:]
        var order: [(key: Key, at: Timestamp)] = []
        var head = 0
    }

    private let state = Mutex(State())

    func sent(to user: UserID, conversations: [Int64], at now: Timestamp) {
        state.withLock { state in
            // The clock was set back: entries from the future would stay too long.
            if let last = state.order.last, last.at > now { state = State() }
            Self.forget(before: now - Self.window, &state)
            for conversation in conversations where state.sent.count < Self.capacity {
                let key = Key(user: user, conversation: conversation)
                state.sent[key] = now
                state.order.append((key, now))
            }
        }
    }

    /// Whether a push for this conversation was just sent. Answers true once per push.
    func wasJustSent(to user: UserID, conversation: Int64, at now: Timestamp) -> Bool {
        state.withLock { state in
            guard !state.sent.isEmpty else { return false }
            guard let at = state.sent.removeValue(forKey: Key(user: user, conversation: conversation)) else { return false }
            return now >= at && now - at <= Self.window
        }
    }

    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            state.withLock { $0 }
        } restore: { [self] saved in
            state.withLock { $0 = saved }
        }
    }

    private static func forget(before time: Timestamp, _ state: inout State) {
        while state.head < state.order.count, state.order[state.head].at < time {
            let (key, at) = state.order[state.head]
            if state.sent[key] == at { state.sent[key] = nil }
            state.head += 1
        }
        if state.head > 1_024, state.head * 2 > state.order.count {
            state.order.removeFirst(state.head)
            state.head = 0
        }
    }
}
