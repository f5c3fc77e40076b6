import SparkCore

/// The built-in alert rules. The same rows are evaluated in the process and exported for Prometheus, so they aggregate with
/// `without`: labels added by Prometheus (`instance`, `job`) are kept, and servers are never mixed.
package enum DefaultRules {
    /// The groups by topic.
    package static let groups = [
        AlertRuleGroup(name: "spark_service", rules: service.compactMap(\.rule)),
        AlertRuleGroup(name: "spark_service_level", rules: ServiceLevelRules.rows.compactMap(\.rule)),
        AlertRuleGroup(name: "spark_storage", rules: storage.compactMap(\.rule)),
        AlertRuleGroup(name: "spark_process", rules: process.compactMap(\.rule)),
    ]

    static let rows = service + ServiceLevelRules.rows + storage + process

    /// Problems that users notice first.
    private static let service = [
        DefaultRule(
            "HighMatchingLatency", .warning, "matching_algorithm",
            "histogram_quantile(0.95, rate(spark_matching_duration_seconds_bucket[5m])) > 0.5", hold: .minutes(2),
            "High matching calculation latency", "P95 matching latency is {{ $value | humanizeDuration }}"),
        DefaultRule(
            "HighAPILatency", .warning, "http",
            """
            histogram_quantile(0.95, sum without (route) \
            (rate(spark_http_request_duration_seconds_bucket{route!~"/api/v1/(stream|poll|ws)"}[5m]))) > 0.2
            """, hold: .minutes(2), "Requests are answered slowly",
            "P95 of all requests, except those that wait for events, is {{ $value | humanizeDuration }}"),
        DefaultRule(
            "HighErrorRate", .critical, "http",
            """
            sum without (method, route, status) (rate(spark_http_requests_total{status=~"5.."}[5m])) \
            / sum without (method, route, status) (rate(spark_http_requests_total[5m])) > 0.005
            """, hold: .minutes(1), "The server fails requests",
            "{{ $value | humanizePercentage }} of the requests end with a server error"),
        DefaultRule(
            "SlowMessageDelivery", .warning, "realtime",
            "histogram_quantile(0.95, sum without (kind) (rate(spark_message_delivery_duration_seconds_bucket[5m]))) > 0.1",
            hold: .minutes(2), "Messages arrive late", "P95 of the delivery of messages is {{ $value | humanizeDuration }}"),
        DefaultRule(
            "HighWebSocketConnections", .warning, "realtime", "spark_websocket_connections_active > 10000", hold: .minutes(1),
            "High WebSocket connection count", #"{{ $value | printf "%.0f" }} active WebSocket connections"#),
        DefaultRule(
            "PushFailures", .warning, "push", "\(failedPushes) / (\(failedPushes) + rate(spark_push_sent_total[10m])) > 0.2",
            hold: .minutes(5), "A push provider refuses many pushes",
            "{{ $value | humanizePercentage }} of the attempts at {{ $labels.provider }} fail"),
        DefaultRule(
            "PushProviderPaused", .warning, "push", "spark_push_provider_paused > 0", hold: .minutes(10),
            "Nothing is sent through a push provider", "Sending through {{ $labels.provider }} is paused after failures"),
        DefaultRule(
            "PushBacklog", .warning, "push", "spark_push_outbox_oldest_age_seconds > 300", hold: .minutes(5),
            "Pushes wait to be sent", "The oldest push has been due for {{ $value | humanizeDuration }}"),
        DefaultRule(
            "CertificateExpiresSoon", .warning, "http", certificateExpires(inDays: 14), hold: .minutes(10),
            "The TLS certificate expires soon", "It is valid for another {{ $value | humanizeDuration }}"),
        DefaultRule(
            "CertificateExpiresNow", .critical, "http", certificateExpires(inDays: 3), hold: .minutes(10),
            "The TLS certificate expires within three days", "It is valid for another {{ $value | humanizeDuration }}"),
        DefaultRule(
            "CertificateRefused", .warning, "http", "spark_tls_certificate_refused > 0", hold: .minutes(5),
            "The new TLS certificate is refused",
            "The files of tls.certificate_file and tls.key_file do not fit; the old certificate is served. The log has the reason"
        ),
        DefaultRule(
            "SparkDown", .critical, "process", #"up{job="spark"} == 0"#, hold: .minutes(1), "The server does not answer",
            "Prometheus cannot read the metrics of {{ $labels.instance }}"),
    ]

    /// Of the certificate that the server uses, or of the one that a proxy uses.
    private static func certificateExpires(inDays days: Int) -> String {
        "spark_tls_certificate_not_after_seconds - time() < \(days) * 86400 "
            + "or spark_certificate_expiry_timestamp_seconds - time() < \(days) * 86400"
    }

    /// Excludes failures because the device is gone: these are expected.
    private static let failedPushes = """
        sum without (reason) (rate(spark_push_failed_total\
        {reason!~"(?i:unregistered|expiredtoken|baddevicetoken|devicetokennotfortopic)|404|410"}[10m]))
        """

    /// Problems that endanger the data.
    private static let storage = [
        DefaultRule(
            "LowCacheHitRate", .critical, "caching",
            """
            sum without (namespace, layer, result) \
            (rate(spark_cache_requests_total{layer=~"l1|disk",result=~"hit|stale"}[5m])) \
            / sum without (namespace, layer, result) (rate(spark_cache_requests_total{layer="l1"}[5m])) < 0.85 \
            and sum without (namespace, layer, result) (rate(spark_cache_requests_total{layer="l1"}[5m])) > 10
            """, hold: .minutes(5), "Cache hit rate below threshold", "Cache hit rate is {{ $value | humanizePercentage }}"),
        DefaultRule(
            "CacheDiskOff", .warning, "caching", "spark_cache_spill_off > 0", hold: .minutes(1),
            "The disk tier of the cache is off", "It kept failing; what does not fit in memory is read from the database"),
        DefaultRule(
            "DatabaseSlowQueries", .warning, "database",
            "histogram_quantile(0.95, rate(spark_database_read_duration_seconds_bucket[5m])) > 0.1", hold: .minutes(2),
            "Database queries are slow", "P95 query time is {{ $value | humanizeDuration }}"),
        DefaultRule(
            "WriterQueueLong", .warning, "database", "spark_database_write_queue_depth > 1024", hold: .minutes(1),
            "Writes wait for the writer", "{{ $value }} writes wait; at 8192 they are refused"),
        DefaultRule(
            "WritesRefused", .critical, "database", "increase(spark_database_writes_refused_total[5m]) > 0", hold: .zero,
            "Writes are refused", #"{{ $value | printf "%.0f" }} writes were refused in five minutes: queue, wait or disk"#),
        DefaultRule(
            "WALGrowth", .warning, "database", "spark_database_wal_bytes > 256 * 1024 * 1024", hold: .minutes(10),
            "The write-ahead log is not checkpointed", "It has {{ $value | humanize1024 }}B; a long read may block the checkpoint"
        ),
        DefaultRule(
            "OutboxStuck", .warning, "outbox", "spark_outbox_oldest_age_seconds > 300", hold: .minutes(5),
            "Durable jobs are not done", "The oldest job has been due for {{ $value | humanizeDuration }}"),
        DefaultRule(
            "BackupFailed", .warning, "backup", "increase(spark_backup_failures_total[1h]) > 0", hold: .zero,
            "A backup failed", #"{{ $value | printf "%.0f" }} attempts failed within an hour; the log says why"#),
        DefaultRule(
            "BackupTooOld", .critical, "backup", "spark_backup_late_seconds > 6 * 3600", hold: .minutes(10),
            "The newest backup is too old", "The next backup is late by {{ $value | humanizeDuration }}"),
        DefaultRule(
            "DrillFailed", .critical, "backup", "spark_drill_failed > 0", hold: .zero,
            "The newest backup cannot be restored", "The last drill failed; the log says why. An older backup may be whole"),
        DefaultRule(
            "DrillSkipped", .warning, "backup", "spark_drill_late_seconds > 3600", hold: .minutes(5),
            "A drill of the backups did not run", "It was due {{ $value | humanizeDuration }} ago; the log says what was missing"),
        DefaultRule(
            "DrillTooOld", .critical, "backup", "spark_drill_age_seconds > 3 * 86400", hold: .minutes(10),
            "No backup is known to be good",
            "For {{ $value | humanizeDuration }} no backup was restored and found sound"),
        DefaultRule(
            "ArchiveBehind", .critical, "backup", "spark_archive_lag_seconds > 60", hold: .minutes(5),
            "Commits do not reach the archive", "The oldest one waits since {{ $value | humanizeDuration }}"),
        DefaultRule(
            "ArchiveBroken", .critical, "backup", "increase(spark_archive_losses_total[1h]) > 0", hold: .zero,
            "The archive has a gap", "A generation was given up; later moments can be restored only from the next backup on"),
        DefaultRule(
            "DiskNearlyFull", .warning, "disk", "spark_disk_free_bytes / spark_disk_size_bytes < 0.15", hold: .minutes(5),
            "The disk is nearly full", "{{ $value | humanizePercentage }} of the data directory's disk is free"),
        DefaultRule(
            "DiskFull", .critical, "disk", "spark_disk_free_bytes / spark_disk_size_bytes < 0.05", hold: .minutes(1),
            "The disk is all but full", "{{ $value | humanizePercentage }} of the data directory's disk is free"),
    ]

    /// Problems in the process, before users notice them.
    private static let process = [
        DefaultRule(
            "EventLoopLag", .warning, "process", "max without (loop) (spark_event_loop_lag_seconds) > 0.1", hold: .minutes(2),
            "Event loops are blocked", "A loop answers {{ $value | humanizeDuration }} late"),
        DefaultRule(
            "FileDescriptorsNearlyUsed", .warning, "process", "process_open_fds / process_max_fds > 0.85", hold: .minutes(5),
            "Few file descriptors are left", "{{ $value | humanizePercentage }} of them are in use"),
        DefaultRule(
            "ServerFull", .warning, "admission",
            #"sum without (scope) (rate(spark_admission_refusals_total{scope="total"}[5m])) > 0"#, hold: .minutes(5),
            "The server refuses clients because a bound is reached",
            "{{ $value | humanize }} requests a second for {{ $labels.resource }} are refused; see spark limits"),
        DefaultRule(
            "HighMemory", .warning, "process", "process_resident_memory_bytes > 4 * 1024 * 1024 * 1024", hold: .minutes(10),
            "The process uses much memory", "It uses {{ $value | humanize1024 }}B"),
        DefaultRule(
            "EventsDropped", .warning, "events", "increase(spark_events_dropped_total[10m]) > 0", hold: .zero,
            "Events did not reach a module", #"{{ $value | printf "%.0f" }} events for a slow module were dropped in ten minutes"#
        ),
        DefaultRule(
            "RestartsOften", .warning, "process", "changes(process_start_time_seconds[30m]) > 2", hold: .zero,
            "The server restarts again and again", "It started {{ $value }} times in half an hour"),
        DefaultRule(
            "MetricsOverflow", .info, "metrics", "sum without (metric) (increase(spark_metrics_overflows_total[30m])) > 0",
            hold: .minutes(5), "A metric has more label values than are kept apart",
            #"{{ $value | printf "%.0f" }} values were counted as other in half an hour"#),
    ]
}
