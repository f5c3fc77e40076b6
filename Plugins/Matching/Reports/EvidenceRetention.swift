import Logging
import ServiceLifecycle
import SparkCore

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

extension EvidenceRetention: Service {
    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                do {
                    try await sweep()
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("old evidence not forgotten", metadata: ["error": "\(type(of: error))"])
                }
            } while (try? await Task.sleep(for: Self.interval)) != nil
        }
    }
}
