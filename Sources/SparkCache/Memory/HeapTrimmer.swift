import CSparkSystem
import SparkCore
import Synchronization

/// Keeps the memory of the process near the cache's budget.
///
/// malloc keeps the pages of freed entries. When entries of 200 B to 20 KB come and go, it holds half as much again as is in use.
/// Returning whole free pages brings that to about a tenth, until the budget has been filled again; so a trim is due as often as
/// that happens.
///
/// malloc does not say how much of its free memory was returned already. So a trim is due only when entries arrived since the
/// last one.
final class HeapTrimmer: Sendable {
    /// The most trims from one sweep to the next. Each holds the heap's locks for some milliseconds.
    private static let maximumRounds = 8

    private let budget: Int
    private let lastArrived = Mutex(0)

    init(budget: Int) { self.budget = budget }

    /// Trims if entries arrived since the last call. Call it about once a second.
    /// - Parameters:
    ///   - arrived: how many entries came to memory since the start.
    ///   - entryBytes: the average size of an entry.
    func consider(arrived: Int, entryBytes: Int) {
        let count = lastArrived.withLock { last in
            defer { last = arrived }
            return arrived &- last
        }
        guard count > 0 else { return }
        let (filled, overflow) = count.multipliedReportingOverflow(by: max(1, entryBytes))
        let rounds = max(1, min(Self.maximumRounds, (overflow ? .max : filled) / max(1, budget)))
        for round in 0..<rounds {
            BlockingWork.run(after: .seconds(1) * Double(round) / Double(rounds)) { [budget] in
                if spark_heap_free_bytes() > budget / 16 { spark_heap_trim() }
            }
        }
    }
}
