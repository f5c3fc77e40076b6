import SparkCore
import SparkKit
import Synchronization

/// Numbers the swipes of a millisecond in their order, so that "the last swipe" of a user is always one certain row.
final class SwipeOrder: Sendable {
    private struct State {
        var last = Timestamp(milliseconds: .min)
        var ordinal: Int64 = 0
    }

    private let state = Mutex(State())

    /// The number of the next swipe. It rises while the time stays the same or goes back.
    func next(at now: Timestamp) -> Int64 {
        state.withLock { state in
            state.ordinal = now > state.last ? 0 : state.ordinal + 1
            state.last = max(state.last, now)
            return state.ordinal
        }
    }

    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            state.withLock { $0 }
        } restore: { [self] saved in
            state.withLock { $0 = saved }
        }
    }
}
