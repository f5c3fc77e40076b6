import Logging
import SparkCore
import SparkHTTP
import SparkKit
import SparkStorage
import Synchronization

/// Runs durable jobs: leases due jobs, passes each to its topic's handler, and retries failed ones with growing delays.
final class OutboxWorker: Sendable {
    /// A job that is not done within this time may be leased again.
    private static let lease = Duration.minutes(5)
    private static let longestPause = Outbox.longestPause
    private static let interval = Duration.seconds(1)
    /// How many rounds are left out after the database failed.
    private static let restAfterFailure = 4

    private let storage: SQLiteStorage
    private let handlers: [String: OutboxHandler]
    private let clock: any WallClock
    private let random: any RandomSource
    private let logger: Logger
    private let metrics: OutboxMetrics
    /// The rounds that are still left out.
    private let rest = Atomic(0)

    init(
        storage: SQLiteStorage, handlers: [String: OutboxHandler], clock: any WallClock, random: any RandomSource, logger: Logger,
        metrics: OutboxMetrics
    ) {
        (self.storage, self.handlers, self.clock, self.random) = (storage, handlers, clock, random)
        (self.logger, self.metrics) = (logger, metrics)
    }

    /// Runs due jobs once a second.
    var work: TimedWork {
        .dated("server.outbox", every: Self.interval, nextDue: { try await self.storage.outbox.nextDue() }) {
            let rest = self.rest.load(ordering: .relaxed)
            guard rest == 0 else { return self.rest.store(rest - 1, ordering: .relaxed) }
            do {
                while try await self.runDue(), !Task.isCancelled {}
            } catch is CancellationError {
                return
            } catch {
                self.logger.error("outbox failed", metadata: ["error": .string(ErrorSummary.of(error))])
                self.rest.store(Self.restAfterFailure, ordering: .relaxed)
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
