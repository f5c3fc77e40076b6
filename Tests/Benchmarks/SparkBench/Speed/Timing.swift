import Dispatch
import SparkCore
import Synchronization

/// Measures a short step that two threads do at the same time.
enum Timing {
    static let threads = 2

    /// - Parameters:
    ///   - steps: of each thread in one round.
    ///   - rounds: the median of them counts. Many short ones, so that the machine's other work falls into few of them.
    ///   - body: does the given number of steps, and returns a value that depends on all of them, so that none is optimized away.
    /// - Returns: nanoseconds of one step, as one thread sees it.
    static func nanoseconds(steps: Int, rounds: Int, _ body: @Sendable (_ thread: Int, _ steps: Int) -> Int) -> Double {
        Quantile.median(
            (0..<rounds).map { _ in
                let sum = Mutex(0.0)
                DispatchQueue.concurrentPerform(iterations: threads) { thread in
                    let begin = ContinuousClock.now
                    let seen = body(thread, steps)
                    let seconds = begin.duration(to: .now).inSeconds
                    precondition(seen >= 0)
                    sum.withLock { $0 += seconds }
                }
                return sum.withLock { $0 } / Double(threads) / Double(steps) * 1e9
            })
    }
}
