import CSparkSystem
import SparkCore
import Synchronization

/// Keeps the process near the cache's budget. Entries of all sizes come and go, and malloc keeps their pages: under a churn of
/// 200 B to 20 KB it came to hold half as much again as was in use. Giving whole free pages back brings it to within a tenth or so, for
/// as long as it takes to fill the budget anew: so relief comes as often as that happens.
///
/// malloc does not say how much of what is free was given back already, so relief is given when more was freed since the last time.
final class HeapRelief: Sendable {
    /// Reliefs from one sweep to the next at most: each holds the heaps' locks for some milliseconds.
    private static let mostRounds = 8

    private let budget: Int
    private let lastCame = Mutex(0)

    init(budget: Int) { self.budget = budget }

    /// To be called about once a second.
    /// - Parameters:
    ///   - came: how many entries came into memory so far: without churn there is nothing to give back.
    ///   - entryBytes: what an entry takes, about.
    func consider(came: Int, entryBytes: Int) {
        let new = lastCame.withLock { last in
            defer { last = came }
            return came &- last
        }
        guard new > 0 else { return }
        let (filled, overflow) = new.multipliedReportingOverflow(by: max(1, entryBytes))
        let rounds = max(1, min(Self.mostRounds, (overflow ? .max : filled) / max(1, budget)))
        for round in 0..<rounds {
            BlockingWork.run(after: .seconds(1) * Double(round) / Double(rounds)) { [budget] in
                if spark_heap_free_bytes() > budget / 16 { spark_heap_trim() }
            }
        }
    }
}
