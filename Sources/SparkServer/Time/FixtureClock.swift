import SparkCore
import Synchronization

/// The clock of an ephemeral server: another clock with an offset, or an instant at which it stands still.
///
/// Reading it takes no lock, because all threads read it very often.
final class FixtureClock: WallClock {
    private let base: any WallClock
    /// Twice a number of milliseconds, plus 1 while the clock stands still. The number is the time since 1970 then, and otherwise
    /// how far the clock is ahead of the base.
    private let state = Atomic<Int64>(0)

    /// Runs with the base clock, without an offset.
    init(over base: any WallClock) { self.base = base }

    func now() -> Timestamp {
        let state = state.load(ordering: .acquiring)
        return Timestamp(milliseconds: state & 1 == 1 ? state >> 1 : base.now().milliseconds &+ state >> 1)
    }

    var isFrozen: Bool { state.load(ordering: .acquiring) & 1 == 1 }

    /// Stands still at an instant.
    func stand(at instant: Timestamp) { state.store(instant.milliseconds << 1 | 1, ordering: .releasing) }

    /// Runs as fast as the base clock from an instant on.
    func run(from instant: Timestamp) {
        state.store((instant.milliseconds &- base.now().milliseconds) << 1, ordering: .releasing)
    }
}
