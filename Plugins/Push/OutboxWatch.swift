import Logging
import ServiceLifecycle
import SparkCore
import SparkKit

/// Reports provider problems to the operator at start, and samples the outbox for metrics.
struct OutboxWatch: Sendable {
    private static let interval = Duration.seconds(10)

    let store: any PushStore
    let providers: PushProviderTable
    /// The configured platforms. Others are not reported until a device uses them.
    let configured: [PushPlatform]
    let clock: any WallClock
    let metrics: PushMetrics
    let logger: Logger

    /// Samples every ten seconds.
    var work: TimedWork {
        .sampled("push.outbox", every: Self.interval) {
            // Best effort: one sample may be missing.
            if let overview = try? await store.overview(at: clock.now(), limit: 0) {
                metrics.outbox(size: overview.size, oldestAge: overview.oldestAge)
            }
        }
    }
}

extension OutboxWatch: Service {
    /// Reports problems once.
    func run() async throws {
        for service in configured {
            guard let fault = await providers.fault(of: service) else { continue }
            logger.error("push provider cannot be used", metadata: ["provider": "\(service.wire)", "reason": .string(fault)])
        }
        // A service that returns counts as ended, so this one waits for the shutdown.
        try? await gracefulShutdown()
    }
}
