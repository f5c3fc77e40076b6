import SparkCore

/// The rules about the service level.
///
/// The burn rate is how many times faster than allowed the error budget of 30 days is used. Each rule compares two windows, as
/// Google's SRE workbook recommends (chapter 5, "multiwindow, multi-burn-rate alerts"): the long one shows that the loss matters,
/// the short one that it goes on, so that an alert ends soon after its cause. Few requests have no meaningful share, so a number
/// of them must have failed.
enum ServiceLevelRules {
    /// Failed requests in the long window below which nothing fires.
    private static let fewestFailed = 10
    /// Requests in an hour below which its percentile is not compared.
    private static let fewestTimed = 500
    private static let slower = 1.5
    /// Seconds. A smaller difference goes unnoticed.
    private static let smallestDelay = 0.01

    static let rows = [
        DefaultRule(
            "ErrorBudgetFastBurn", .critical, "http", burn("14.4", long: "1h", short: "5m"), hold: .minutes(2),
            "The error budget of a month would be used up in two days", burnText),
        DefaultRule(
            "ErrorBudgetSlowBurn", .critical, "http", burn("6", long: "6h", short: "30m"), hold: .minutes(15),
            "The error budget of a month would be used up in five days", burnText),
        DefaultRule(
            "ErrorBudgetSteadyBurn", .warning, "http", burn("1", long: "3d", short: "6h"), hold: .hours(1),
            "The error budget does not last the month", burnText),
        DefaultRule(
            "SlowerThanLastWeek", .warning, "http",
            """
            \(percentile(hourBefore: "")) > \(slower) * \(percentile(hourBefore: lastWeek)) \
            and \(percentile(hourBefore: "")) - \(percentile(hourBefore: lastWeek)) > \(smallestDelay) \
            and \(requests(hourBefore: "")) >= \(fewestTimed) and \(requests(hourBefore: lastWeek)) >= \(fewestTimed)
            """, hold: .minutes(15), "Requests are answered more slowly than a week ago",
            "P95 of the last hour is {{ $value | humanizeDuration }}, more than \(slower) times that of the same hour a week ago"),
    ]

    private static let burnText = "{{ $value | humanizePercentage }} of the requests fail"
    private static let lastWeek = " offset 1w"

    private static func burn(_ rate: String, long: String, short: String) -> String {
        let failed = #"spark_slo_requests_total{result="failed"}"#
        let limit = "\(rate) * (1 - spark_slo_target_ratio)"
        func share(_ window: String) -> String {
            """
            sum without (result) (rate(\(failed)[\(window)])) \
            / sum without (result) (rate(spark_slo_requests_total[\(window)])) > \(limit)
            """
        }
        return "\(share(long)) and \(share(short)) and sum without (result) (increase(\(failed)[\(long)])) >= \(fewestFailed)"
    }

    private static func percentile(hourBefore offset: String) -> String {
        "histogram_quantile(0.95, rate(spark_slo_request_duration_seconds_bucket[1h]\(offset)))"
    }

    private static func requests(hourBefore offset: String) -> String {
        "increase(spark_slo_request_duration_seconds_count[1h]\(offset))"
    }
}
