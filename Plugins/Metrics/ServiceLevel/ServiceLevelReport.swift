import Metrics
import SparkCore
import SparkKit

/// Records the service level as gauges: the availability over some windows, and how much of the error budget is left.
///
/// The availability is the share of good requests, computed from the history. A window without requests has no value.
struct ServiceLevelReport: Sendable {
    static let declarations = [
        MetricDeclaration(
            availabilityName, .gauge, labels: ["window"],
            help: "Share of clients' requests that were not failed with 5xx, by window; absent without requests."),
        MetricDeclaration(
            budgetName, .gauge,
            help: "Share of the errors allowed in 30 days that is left: 1 before the first, 0 when used up, below 0 beyond."),
        MetricDeclaration(targetName, .gauge, help: "The availability that is aimed at (metrics.availability_target)."),
    ]

    static let setting = Setting.number(
        "availability_target", 0.5...0.99999, default: 0.9995,
        "The share of requests over 30 days that should not fail; the rest is the error budget that alerts watch.")

    private static let availabilityName = "spark_slo_availability_ratio"
    private static let budgetName = "spark_slo_error_budget_remaining_ratio"
    private static let targetName = "spark_slo_target_ratio"
    private static let interval = Duration.seconds(15)
    /// The last one is that of the error budget.
    private static let windows = ["5m", "1h", "1d", "30d"]

    /// The values of one moment. NaN, which a gauge takes as no value, without requests.
    struct Measured {
        /// The share of good requests by window.
        let availability: [(window: String, ratio: Double)]
        /// The share of the allowed errors that is left; below zero beyond.
        let budgetLeft: Double
    }

    private let source: any SeriesSource
    private let clock: any WallClock
    private let target: Double
    private let failedShares: [(window: String, query: PromQuery)]
    private let availability: [Gauge]
    private let budget = Gauge(label: budgetName)

    /// - Parameter target: the share of requests that should be good, below 1.
    init(source: any SeriesSource, clock: any WallClock, target: Double) {
        self.source = source
        self.clock = clock
        self.target = target
        self.failedShares = Self.windows.map { window in
            guard let query = try? PromQuery(Self.failedShare(over: window)) else {
                preconditionFailure("the query of a window cannot be read")
            }
            return (window, query)
        }
        self.availability = Self.windows.map { Gauge(label: Self.availabilityName, dimensions: [("window", $0)]) }
        Gauge(label: Self.targetName).record(target)
    }

    /// The share of failed requests over a window, as an expression. All servers of the process count together.
    private static func failedShare(over window: String) -> String {
        """
        sum(increase(spark_slo_requests_total{result="failed"}[\(window)])) / sum(increase(spark_slo_requests_total[\(window)]))
        """
    }

    /// Computes the values of this moment.
    func measure() -> Measured {
        let now = clock.now()
        let availability = failedShares.map { window, query in
            (window: window, ratio: 1 - ((try? query.evaluate(at: now, in: source))?.first?.value ?? .nan))
        }
        return Measured(
            availability: availability, budgetLeft: 1 - (1 - (availability.last?.ratio ?? .nan)) / (1 - target))
    }

    private func record() {
        let measured = measure()
        for (gauge, value) in zip(availability, measured.availability) { gauge.record(value.ratio) }
        budget.record(measured.budgetLeft)
    }
}

extension ServiceLevelReport {
    /// Records every 15 seconds.
    var work: TimedWork { .sampled("metrics.service_level", every: Self.interval) { record() } }
}
