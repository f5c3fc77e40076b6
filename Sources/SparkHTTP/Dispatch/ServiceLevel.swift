import Metrics
import SparkKit

/// What the service level is measured by: the answers that clients get, each either good or failed.
///
/// - Failed is every answer of 5xx, whatever its reason. A client that is refused because the whole server is full, starting or
///   short of disk is not served (Google's SRE workbook, chapter 2, counts the same). A bound on one network or one person is
///   answered with 429, which is no failure of the server.
/// - Not counted are probes, metrics and the console: they would hide failures behind requests that no person made. Neither is
///   an answer of 4xx to what matches no route: scanners would do the same. Failures there are counted.
/// - The time is that of answers below 400. Refusals are quick, and a wave of them would hide that the others became slow. An
///   answer that waits for an event takes as long as the client likes and is not timed.
package struct ServiceLevel: Sendable {
    static let declarations = [
        MetricDeclaration(
            requestsName, .counter, labels: ["result"],
            help: "Requests of clients that the service level counts, by result: good or failed (any 5xx)."),
        MetricDeclaration(
            durationName, .histogram,
            help:
                "Time to answer a client's request well, in seconds, less waits for its body, without requests that wait for events.",
            buckets: buckets),
    ]

    private static let requestsName = "spark_slo_requests_total"
    private static let durationName = "spark_slo_request_duration_seconds"
    /// Steps of at most a factor of two, because a percentile is compared with another one.
    private static let buckets = [
        0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75,
        1, 2, 5,
    ]
    /// Routes whose answers wait for events.
    private static let waiting: Set<String> = ["/api/v1/ws", "/api/v1/stream", "/api/v1/poll"]

    /// How an answer counts.
    enum Result: Hashable {
        case good
        case failed

        /// Nil for an answer that does not count.
        /// - Parameter isRouted: whether a route answered.
        init?(status: Int, isRouted: Bool) {
            if status >= 500 {
                self = .failed
            } else if isRouted {
                self = .good
            } else {
                return nil
            }
        }
    }

    private let good = Counter(label: requestsName, dimensions: [("result", "good")])
    private let failed = Counter(label: requestsName, dimensions: [("result", "failed")])
    private let duration = Metrics.Timer(label: durationName)

    init() {
        // Counters begin at zero, so that their first increase is visible.
        good.increment(by: 0)
        failed.increment(by: 0)
    }

    /// Whether the answers of a route are timed.
    static func isTimed(_ route: String) -> Bool { route != EdgeMetrics.unmatched && !waiting.contains(route) }

    func record(_ result: Result, _ status: Int, in time: Duration, isTimed: Bool) {
        switch result {
        case .good: good.increment()
        case .failed: failed.increment()
        }
        if isTimed, status < 400 { duration.record(duration: time) }
    }
}
