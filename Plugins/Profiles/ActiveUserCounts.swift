import Logging
import Metrics
import SparkCore
import SparkKit

/// A period within which a user must have been active to be counted.
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

/// Counts the active users once a minute. Each count reads all users, independently of requests.
struct ActiveUserCounts: Sendable {
    private static let interval = Duration.seconds(60)

    let store: any ProfilesStore
    let metrics: ProfilesMetrics
    let clock: any WallClock
    let logger: Logger

    var work: TimedWork { .sampled("profiles.active_users", every: Self.interval) { await count() } }

    /// Takes one count and records the gauges.
    func count() async {
        do {
            let counts = try await store.activeCounts(at: clock.now())
            for (window, gauge) in zip(ActivityWindow.allCases, metrics.activeByWindow) { gauge.record(counts[window] ?? 0) }
        } catch {
            logger.notice("active users not counted", metadata: ["error": "\(type(of: error))"])
        }
    }
}
