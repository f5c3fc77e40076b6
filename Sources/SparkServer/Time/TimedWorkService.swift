import ServiceLifecycle
import SparkCore
import SparkKit

/// Runs timed work by real time. Each work has a task of its own, so that none waits for another.
struct TimedWorkService: Service {
    let works: [TimedWork]
    /// Keeps rounds and moves of the clock apart; nil in a server whose clock nobody moves.
    let gate: RoundGate?

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for work in works {
                    guard case .every(let interval, let startsAtOnce) = work.pace else { continue }
                    group.addTask { await runRounds(of: work, every: interval, startsAtOnce) }
                }
            }
        }
        for work in works.reversed() { await work.finish?() }
    }

    private func runRounds(of work: TimedWork, every interval: Duration, _ startsAtOnce: Bool) async {
        if !startsAtOnce, (try? await Task.sleep(for: interval)) == nil { return }
        repeat { await runRound(of: work) } while (try? await Task.sleep(for: interval)) != nil
    }

    private func runRound(of work: TimedWork) async {
        guard let gate else { return await work.run() }
        await gate.enter()
        if !Task.isCancelled { await work.run() }
        gate.leave()
    }
}
