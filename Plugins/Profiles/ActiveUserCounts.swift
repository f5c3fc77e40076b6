import Logging
import Metrics
import ServiceLifecycle
import SparkCore

/// Within which time somebody was active to be counted.
enum ActivityWindow: String, CaseIterable, Sendable {
    case day, week, month

    var length: Duration {
        switch self {
        case .day: .days(1)
        case .week: .days(7)
        case .month: .days(30)
        }
    }
}

/// Counts the people who were active, once a minute: it reads everybody, beside the requests.
struct ActiveUserCounts: Service {
    private static let interval = Duration.seconds(60)

    let store: any ProfilesStore
    let metrics: ProfilesMetrics
    let clock: any WallClock
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await count()
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    func count() async {
        do {
            let counts = try await store.activeCounts(at: clock.now())
            for (window, gauge) in zip(ActivityWindow.allCases, metrics.activeByWindow) { gauge.record(counts[window] ?? 0) }
        } catch {
            logger.notice("active users not counted", metadata: ["error": "\(type(of: error))"])
        }
    }
}
