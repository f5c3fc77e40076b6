import CSparkSystem
import Synchronization

/// Keeps the process near the cache's budget. Entries of all sizes come and go, and malloc keeps their pages: under a churn of
/// 200 B to 20 KB it came to hold half as much again as was in use. Giving whole free pages back brings it to within a tenth.
///
/// malloc does not say how much of what is free was given back already, so relief is given when more was freed since the last time.
final class HeapRelief: Sendable {
    /// Sweeps between two reliefs at least: they hold the heaps' locks for some milliseconds.
    private static let pause = 2

    private struct State {
        var sweeps = 0
        var lastStored = 0
    }

    private let budget: Int
    private let state = Mutex(State())

    init(budget: Int) { self.budget = budget }

    /// - Parameter stored: a count that moves with every request: without churn there is nothing to give back.
    func consider(stored: Int) {
        let isDue = state.withLock { state in
            state.sweeps += 1
            guard state.sweeps >= Self.pause, stored != state.lastStored else { return false }
            state.sweeps = 0
            state.lastStored = stored
            return true
        }
        guard isDue else { return }
        let budget = budget
        BlockingWork.run {
            if spark_heap_free_bytes() > budget / 16 { spark_heap_trim() }
        }
    }
}
