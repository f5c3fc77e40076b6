import Logging
import ServiceLifecycle
import SparkCore

/// Reports provider problems to the operator at start, and samples the outbox for metrics.
struct OutboxWatch: Service {
    private static let interval = Duration.seconds(10)

    let store: any PushStore
    let providers: PushProviderTable
    /// The configured platforms. Others are not reported until a device uses them.
    let configured: [PushPlatform]
    let clock: any WallClock
    let metrics: PushMetrics
    let logger: Logger

    func run() async throws {
        for service in configured {
            guard let fault = await providers.fault(of: service) else { continue }
            logger.error("push provider cannot be used", metadata: ["provider": "\(service.wire)", "reason": .string(fault)])
        }
        await cancelWhenGracefulShutdown {
            repeat {
                // Best effort: one sample may be missing.
                if let overview = try? await store.overview(at: clock.now(), limit: 0) {
                    metrics.outbox(size: overview.size, oldestAge: overview.oldestAge)
                }
            } while (try? await Task.sleep(for: Self.interval)) != nil
        }
    }
}
