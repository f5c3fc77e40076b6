import Logging
import SparkCore
import SparkKit

/// Deletes the evidence of reports after its lifetime, a few reports at a time.
struct EvidenceRetention: Sendable {
    private static let interval = Duration.seconds(600)
    /// The most reports whose evidence one write deletes.
    private static let batch = 50

    let store: any ReportStore
    let lifetime: Duration
    let clock: any WallClock
    let logger: Logger

    /// Deletes all evidence that is past its lifetime.
    func sweep() async throws {
        let before = clock.now() - lifetime
        while try await store.forgetEvidence(before: before, limit: Self.batch) == Self.batch { try Task.checkCancellation() }
    }
}

extension EvidenceRetention {
    /// Sweeps every ten minutes. A decision makes evidence relevant for longer, never for less long.
    var work: TimedWork {
        .dated(
            "matching.evidence", every: Self.interval, isOldestFirst: true,
            nextDue: { try await store.oldestEvidence().map { $0 + lifetime + .milliseconds(1) } }
        ) {
            do {
                try await sweep()
            } catch is CancellationError {
                return
            } catch {
                logger.warning("old evidence not forgotten", metadata: ["error": "\(type(of: error))"])
            }
        }
    }
}
