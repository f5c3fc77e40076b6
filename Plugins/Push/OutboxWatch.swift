import Logging
import ServiceLifecycle
import SparkCore

/// Tells the operator at the start what keeps a provider from sending, and measures the outbox now and then.
struct OutboxWatch: Service {
    private static let interval = Duration.seconds(10)

    let store: any PushStore
    let providers: PushProviderTable
    /// Those that the operator has set up; the others are silent until a device asks for them.
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
                // Best effort: a number that is missing for once.
                if let overview = try? await store.overview(at: clock.now(), limit: 0) {
                    metrics.outbox(size: overview.size, oldestAge: overview.oldestAge)
                }
            } while (try? await Task.sleep(for: Self.interval)) != nil
        }
    }
}
