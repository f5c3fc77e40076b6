extension AlertScenario {
    /// One for each rule of the default set.
    static let all = [
        AlertScenario("HighMatchingLatency", rows: histogram("spark_matching_duration_seconds", fast: 0.05, slow: 1)),
        AlertScenario(
            "HighAPILatency",
            rows: histogram("spark_http_request_duration_seconds", ["route": "/api/v1/me"], fast: 0.1, slow: 0.5)),
        AlertScenario(
            "HighErrorRate",
            Row("spark_http_requests_total", served("500"), bad: .grows(3), good: .grows(0)),
            Row("spark_http_requests_total", served("200"), bad: .grows(300), good: .grows(300))),
        // In all three the long window is still bad at the end: the short one ends the alert.
        AlertScenario("ErrorBudgetFastBurn", rows: level(good: 97, failed: .grows(3))),
        AlertScenario("ErrorBudgetSlowBurn", rows: level(good: 990, failed: .grows(10))),
        AlertScenario(
            "ErrorBudgetSteadyBurn", over: Course(step: 300, badMinutes: 180, minutes: 900),
            rows: level(good: 9_950, failed: .grows(50))),
        AlertScenario("SlowerThanLastWeek", over: week, rows: answers(slow: 0.05, bad: 200, good: .grows(200))),
        AlertScenario(
            "SlowMessageDelivery", rows: histogram("spark_message_delivery_duration_seconds", fast: 0.025, slow: 0.25)),
        AlertScenario(
            "HighWebSocketConnections", Row("spark_websocket_connections_active", bad: .level(10_001), good: .level(9_999))),
        AlertScenario(
            "PushFailures",
            Row("spark_push_failed_total", ["provider": "apns", "reason": "unavailable"], bad: .grows(5), good: .grows(0)),
            Row("spark_push_failed_total", ["provider": "apns", "reason": "refused"], bad: .grows(2), good: .grows(0)),
            Row("spark_push_failed_total", ["provider": "apns", "reason": "Unregistered"], bad: .grows(9), good: .grows(9)),
            Row("spark_push_sent_total", ["provider": "apns"], bad: .grows(10), good: .grows(10))),
        AlertScenario(
            "PushProviderPaused", Row("spark_push_provider_paused", ["provider": "fcm"], bad: .level(1), good: .level(0))),
        AlertScenario("PushBacklog", Row("spark_push_outbox_oldest_age_seconds", bad: .level(301), good: .level(0))),
        AlertScenario(
            "CertificateExpiresSoon",
            Row("spark_certificate_expiry_timestamp_seconds", bad: .level(5 * 86_400), good: .level(90 * 86_400))),
        AlertScenario(
            "CertificateExpiresSoon",
            Row("spark_tls_certificate_not_after_seconds", bad: .level(13 * 86_400), good: .level(15 * 86_400))),
        AlertScenario(
            "CertificateExpiresNow",
            Row("spark_tls_certificate_not_after_seconds", bad: .level(2 * 86_400), good: .level(10 * 86_400))),
        AlertScenario("CertificateRefused", Row("spark_tls_certificate_refused", bad: .level(1), good: .level(0))),
        AlertScenario("SparkDown", Row("up", bad: .level(0), good: .level(1))),
        AlertScenario(
            "LowCacheHitRate", Row("spark_cache_requests_total", asked("l1", "hit"), bad: .grows(700), good: .grows(900)),
            Row("spark_cache_requests_total", asked("l1", "miss"), bad: .grows(300), good: .grows(100)),
            Row("spark_cache_requests_total", asked("disk", "hit"), bad: .grows(10), good: .grows(20)),
            Row("spark_cache_requests_total", asked("origin", "loaded"), bad: .grows(290), good: .grows(80))),
        AlertScenario("CacheDiskOff", Row("spark_cache_spill_off", bad: .level(1), good: .level(0))),
        AlertScenario("DatabaseSlowQueries", rows: histogram("spark_database_read_duration_seconds", fast: 0.05, slow: 0.25)),
        AlertScenario("WriterQueueLong", Row("spark_database_write_queue_depth", bad: .level(4_000), good: .level(3))),
        AlertScenario("WritesRefused", Row("spark_database_writes_refused_total", bad: .grows(1), good: .grows(0))),
        AlertScenario("WALGrowth", Row("spark_database_wal_bytes", bad: .grows(1e8), good: .level(4e6))),
        AlertScenario("OutboxStuck", Row("spark_outbox_oldest_age_seconds", bad: .grows(15), good: .level(2))),
        AlertScenario("DiskNearlyFull", Row("spark_disk_free_bytes", bad: .level(14e9), good: .level(16e9)), disk),
        AlertScenario(
            "BackupFailed", over: .init(badMinutes: 25, minutes: 130),
            rows: [.init("spark_backup_failures_total", bad: .grows(0.1), good: .grows(0))]),
        AlertScenario("ArchiveBehind", Row("spark_archive_lag_seconds", bad: .level(90), good: .level(0.5))),
        AlertScenario(
            "ArchiveBroken", over: .init(badMinutes: 25, minutes: 130),
            rows: [.init("spark_archive_losses_total", bad: .grows(0.1), good: .grows(0))]),
        AlertScenario("BackupTooOld", Row("spark_backup_late_seconds", bad: .level(30_000), good: .level(0))),
        AlertScenario(
            "DrillFailed", over: .init(goodMinutes: 5),
            rows: [.init("spark_drill_failed", bad: .level(1), good: .level(0))]),
        AlertScenario("DrillSkipped", Row("spark_drill_late_seconds", bad: .level(3_700), good: .level(0))),
        AlertScenario("DrillTooOld", Row("spark_drill_age_seconds", bad: .level(260_000), good: .level(80_000))),
        AlertScenario("DiskFull", Row("spark_disk_free_bytes", bad: .level(4e9), good: .level(6e9)), disk),
        AlertScenario(
            "EventLoopLag", Row("spark_event_loop_lag_seconds", ["loop": "0"], bad: .level(0.001), good: .level(0.001)),
            Row("spark_event_loop_lag_seconds", ["loop": "1"], bad: .level(0.25), good: .level(0.002))),
        AlertScenario(
            "FileDescriptorsNearlyUsed", Row("process_open_fds", bad: .level(950), good: .level(100)),
            Row("process_max_fds", bad: .level(1_000), good: .level(1_000))),
        AlertScenario(
            "ServerFull",
            Row(
                "spark_admission_refusals_total", ["resource": "connections", "scope": "total"], bad: .grows(3),
                good: .grows(0))),
        AlertScenario("HighMemory", Row("process_resident_memory_bytes", bad: .level(5e9), good: .level(2e8))),
        AlertScenario("EventsDropped", Row("spark_events_dropped_total", bad: .grows(2), good: .grows(0))),
        AlertScenario("RestartsOften", Row("process_start_time_seconds", bad: .grows(15), good: .grows(0))),
        AlertScenario(
            "MetricsOverflow", Row("spark_metrics_overflows_total", ["metric": "a"], bad: .grows(1), good: .grows(0))),
    ]

    /// Nothing in these is worth an alert.
    static let quiet = [
        AlertScenario(
            "DrillSkipped", "it waits for a backup to end",
            rows: [Row("spark_drill_late_seconds", bad: .level(3_500), good: .level(0))]),
        AlertScenario(
            "DrillTooOld", "no drills are scheduled",
            rows: [Row("spark_drill_age_seconds", bad: .absent, good: .absent)]),
        AlertScenario(
            "CertificateExpiresNow", "there are ten days left",
            rows: [Row("spark_tls_certificate_not_after_seconds", bad: .level(10 * 86_400), good: .level(10 * 86_400))]),
        AlertScenario("ErrorBudgetFastBurn", "nobody asks for anything", rows: level(good: 0, failed: .grows(0))),
        AlertScenario(
            "ErrorBudgetFastBurn", "every second request fails, but there are few",
            over: Course(goodMinutes: 5, badMinutes: 2), rows: level(good: 1, failed: .grows(1))),
        AlertScenario("ErrorBudgetFastBurn", "0.6 % fail", rows: level(good: 994, failed: .grows(6))),
        AlertScenario(
            "ErrorBudgetFastBurn", "the target is not known", rows: Array(level(good: 1, failed: .grows(9)).dropLast())),
        AlertScenario("ErrorBudgetSlowBurn", "0.2 % fail", rows: level(good: 998, failed: .grows(2))),
        AlertScenario(
            "ErrorBudgetSteadyBurn", "0.04 % fail, as allowed", over: Course(step: 300, badMinutes: 180, minutes: 900),
            rows: level(good: 9_996, failed: .grows(4))),
        AlertScenario(
            "SlowerThanLastWeek", "there was nobody a week ago", over: week,
            rows: answers(slow: 0.05, bad: 200, good: .absent)),
        AlertScenario(
            "SlowerThanLastWeek", "there were few a week ago", over: week, rows: answers(slow: 0.05, bad: 200, good: .grows(30))),
        AlertScenario(
            "SlowerThanLastWeek", "there are few", over: week,
            rows: answers(slow: 0.05, bad: 30, good: .slackens(200, 30))),
        AlertScenario(
            "SlowerThanLastWeek", "four times as slow, by less than ten milliseconds", over: week,
            rows: answers(slow: 0.01, bad: 200, good: .grows(200))),
        AlertScenario(
            "SlowerThanLastWeek", "as slow as a week ago", over: week, rows: answers(slow: 0.0025, bad: 200, good: .grows(200))),
    ]

    /// A week and half a day, with the worst in the beginning of its second hour.
    private static let week = Course(step: 300, goodMinutes: 7 * 1_440 + 60, badMinutes: 120, minutes: 7 * 1_440 + 720)

    /// Counters of the service level, of which some fail in the bad time, and the target.
    private static func level(good: Double, failed: Signal) -> [Row] {
        [
            Row("spark_slo_requests_total", ["result": "good"], bad: .grows(good), good: .grows(good)),
            Row("spark_slo_requests_total", ["result": "failed"], bad: failed, good: .grows(0)),
            Row("spark_slo_target_ratio", bad: .level(0.9995), good: .level(0.9995)),
        ]
    }

    /// The times of answers: within 2.5 ms in good times, within another bound in the bad time.
    /// - Parameters:
    ///   - bad: the answers of five minutes in the bad time.
    ///   - good: the answers of five minutes in good times.
    private static func answers(slow: Double, bad: Double, good: Signal) -> [Row] {
        let name = "spark_slo_request_duration_seconds"
        let buckets = [0.0025, 0.005, 0.01, 0.05].map { bound in
            Row("\(name)_bucket", ["le": "\(bound)"], bad: .grows(bound >= slow ? bad : 0), good: good)
        }
        return buckets + [
            Row("\(name)_bucket", ["le": "+Inf"], bad: .grows(bad), good: good),
            Row("\(name)_count", bad: .grows(bad), good: good),
        ]
    }

    private static let disk = Row("spark_disk_size_bytes", bad: .level(1e11), good: .level(1e11))

    private static func served(_ status: String) -> [String: String] {
        ["method": "GET", "route": "/api/v1/me", "status": status]
    }

    private static func asked(_ layer: String, _ result: String) -> [String: String] {
        ["namespace": "cards", "layer": layer, "result": result]
    }
}
