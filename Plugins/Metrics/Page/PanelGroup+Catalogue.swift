/// The panels of the page.
extension PanelGroup {
    static let all = [requests, level, people, matching, push, store, backups, machine]

    private static let requests = PanelGroup(
        title: "Requests and connections",
        panels: [
            Panel("requests", "Requests by status", .perSecond, .rate("spark_http_requests_total", by: "status")),
            .times("answers", "Time to answer", "spark_http_request_duration_seconds"),
            Panel(
                "connections", "Connections", .count,
                [
                    .init(title: "WebSockets", source: .value("spark_websocket_connections_active")),
                    .init(title: "stream, all kinds", source: .value("spark_stream_connections")),
                    .init(title: "requests", source: .value("spark_http_requests_active")),
                ]),
        ])

    private static let level = PanelGroup(
        title: "Service level",
        panels: [
            Panel(
                "availability", "Availability", .ratio,
                [
                    .init(title: "over", source: .value("spark_slo_availability_ratio", by: "window")),
                    .init(title: "target", source: .value("spark_slo_target_ratio")),
                ]),
            Panel(
                "budget", "Error budget", .ratio,
                [.init(title: "left of 30 days", source: .value("spark_slo_error_budget_remaining_ratio"))]),
            .times("wellAnswered", "Time to answer well", "spark_slo_request_duration_seconds"),
        ])

    private static let people = PanelGroup(
        title: "People",
        panels: [
            Panel(
                "growth", "What people do", .perMinute,
                [
                    .init(title: "sign-ups", source: .rate("spark_accounts_registrations_total", factor: 60)),
                    .init(title: "matches", source: .rate("spark_matching_matches_total", factor: 60)),
                    .init(title: "messages", source: .rate("spark_messages_sent_total", factor: 60)),
                    .init(title: "first replies", source: .rate("spark_first_replies_total", factor: 60)),
                    .init(title: "reports", source: .rate("spark_reports_total", factor: 60)),
                ]),
            Panel("swipes", "Swipes", .perSecond, .rate("spark_matching_swipes_total", by: "action")),
            Panel("active", "Active people", .count, .value("spark_users_active", by: "window")),
        ])

    private static let matching = PanelGroup(
        title: "Decks, swipes and messages",
        panels: [
            .times("decks", "Time to make a deck", "spark_matching_duration_seconds"),
            .times("swiping", "Time to record a swipe", "spark_swipe_response_seconds"),
            .times("delivery", "Time to deliver a message", "spark_message_delivery_duration_seconds"),
        ])

    private static let push = PanelGroup(
        title: "Push",
        panels: [
            Panel("pushes", "Pushes accepted", .perMinute, .rate("spark_push_sent_total", by: "provider", factor: 60)),
            Panel("failures", "Attempts that failed", .perMinute, .rate("spark_push_failed_total", by: "provider", factor: 60)),
            Panel(
                "outbox", "Pushes in the outbox", .count,
                [.init(title: "gathering, held, under way", source: .value("spark_push_outbox_size"))]),
            .times("reach", "From due to accepted", "spark_push_delivery_duration_seconds"),
            Panel("unsent", "Not sent after all", .perMinute, .rate("spark_push_cancelled_total", by: "reason", factor: 60)),
        ])

    private static let store = PanelGroup(
        title: "Database and cache",
        panels: [
            .times("commits", "Time of a commit", "spark_database_commit_duration_seconds"),
            .times("waits", "Time that writes wait", "spark_database_write_wait_seconds"),
            Panel(
                "queues", "What waits", .count,
                [
                    .init(title: "writes", source: .value("spark_database_write_queue_depth")),
                    .init(title: "durable jobs", source: .value("spark_outbox_jobs")),
                ]),
            Panel(
                "files", "Files", .bytes,
                [
                    .init(title: "write-ahead log", source: .value("spark_database_wal_bytes")),
                    .init(title: "database", source: .value("spark_database_size_bytes")),
                ]),
            Panel(
                "hits", "Cache hits", .ratio,
                .share(
                    "spark_cache_requests_total", label: "result", of: ["hit", "stale"], by: "layer", only: ["l1", "disk"])),
            Panel("cached", "Cached", .bytes, .value("spark_cache_bytes", by: "layer")),
        ])

    private static let backups = PanelGroup(
        title: "Backups",
        panels: [
            Panel(
                "late", "Late by", .seconds,
                [
                    .init(title: "backup", source: .value("spark_backup_late_seconds")),
                    .init(title: "drill", source: .value("spark_drill_late_seconds")),
                    .init(title: "archive", source: .value("spark_archive_lag_seconds")),
                ]),
            Panel("drilled", "Time since the last good drill", .seconds, .value("spark_drill_age_seconds")),
            Panel("backupSize", "Newest backup", .bytes, .value("spark_backup_size_bytes")),
        ])

    private static let machine = PanelGroup(
        title: "Process and machine",
        panels: [
            Panel("cpu", "Processors in use", .cores, .rate("process_cpu_seconds_total")),
            Panel("memory", "Memory", .bytes, .value("process_resident_memory_bytes")),
            Panel("lag", "Event loops late by", .seconds, .value("spark_event_loop_lag_seconds", by: "loop")),
            Panel("disk", "Disk free", .bytes, .value("spark_disk_free_bytes")),
            Panel("descriptors", "Open files", .count, .value("process_open_fds")),
            Panel("series", "Series kept", .count, .value("spark_metrics_series")),
        ])
}
