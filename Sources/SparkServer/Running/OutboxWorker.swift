import Logging
import ServiceLifecycle
import SparkCore
import SparkHTTP
import SparkKit
import SparkStorage

/// Runs durable jobs: leases due jobs, passes each to its topic's handler, and retries failed ones with growing delays.
struct OutboxWorker: Service {
    /// A job that is not done within this time may be leased again.
    private static let lease = Duration.minutes(5)
    private static let longestPause = Outbox.longestPause

    let storage: SQLiteStorage
    let handlers: [String: OutboxHandler]
    let clock: any WallClock
    let random: any RandomSource
    let logger: Logger
    let metrics: OutboxMetrics

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await !runDue() { try await Task.sleep(for: .seconds(1)) }
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("outbox failed", metadata: ["error": .string(ErrorSummary.of(error))])
                    try? await Task.sleep(for: .seconds(5))
                }
            }
        }
    }

    /// Runs one round of due jobs; returns false when there was none.
    func runDue() async throws -> Bool {
        guard let due = try await storage.outbox.nextDue(), due <= clock.now() else { return false }
        let jobs = try await storage.outbox.lease(limit: 32, for: Self.lease)
        for job in jobs { try await perform(job) }
        return !jobs.isEmpty
    }

    private func perform(_ job: OutboxJob) async throws {
        do {
            guard let handler = handlers[job.topic] else { throw UnknownTopic() }
            try await handler.handle(job.payload)
            try await storage.outbox.complete(job)
            metrics.done(job.topic)
        } catch {
            metrics.failed(job.topic)
            let pause = Self.pause(afterAttempts: job.attempts + 1, chance: random.next())
            logger.warning(
                "outbox job postponed",
                metadata: [
                    "topic": .string(job.topic), "attempts": .stringConvertible(job.attempts + 1),
                    "error": .string(ErrorSummary.of(error)),
                ])
            try await storage.outbox.retry(job, at: clock.now() + pause)
        }
    }

    /// The delay before a retry: 2, 4, 8 … seconds, at most six hours, half of it random.
    private static func pause(afterAttempts attempts: Int, chance: UInt64) -> Duration {
        let base = min(Double(1 << min(attempts, 20)), longestPause.inSeconds)
        return .seconds(base / 2 + base / 2 * Double(chance >> 11) / Double(1 << 53))
    }
}

/// The job belongs to a disabled module; it waits.
private struct UnknownTopic: Error {}
