import Foundation
import Spark
import SparkTelemetry

/// A server's state from two scrapes: groups of rows with title, value and unit.
struct TopOverview: JSONWritable {
    enum Unit { case perSecond, perMinute, seconds, bytes, ratio, count, time }

    struct Row {
        let key: String
        let title: String
        let unit: Unit
        /// Nil when there is no value, for example without events.
        let value: Double?
    }

    let version: String
    let groups: [(title: String, rows: [Row])]
    /// `state name: text`, firing ones first.
    let alerts: [String]

    /// - Parameter seconds: the time between the scrapes.
    init(_ now: Scrape, since before: Scrape, seconds: Double, alerts: [String]) {
        func rate(_ key: String, _ title: String, _ name: String, _ labels: [String: String] = [:]) -> Row {
            Row(
                key: key, title: title, unit: .perSecond,
                value: now.growth(name, since: before, where: labels).map { $0 / seconds })
        }
        func slow(_ key: String, _ title: String, _ name: String) -> Row {
            Row(key: key, title: title, unit: .seconds, value: now.quantile(0.95, of: name, since: before))
        }
        func value(_ key: String, _ title: String, _ unit: Unit, _ name: String, _ labels: [String: String] = [:]) -> Row {
            Row(key: key, title: title, unit: unit, value: now.sum(name, where: labels))
        }
        func time(_ key: String, _ title: String, _ name: String) -> Row {
            Row(key: key, title: title, unit: .time, value: now.sum(name, where: [:]).flatMap { $0.isFinite ? $0 : nil })
        }
        version = now.samples("spark_build_info").first?.labels["version"] ?? ""
        self.alerts = alerts
        let lag = now.samples("spark_event_loop_lag_seconds").map(\.value).max()
        groups = [
            (
                "requests",
                [
                    rate("requests_per_second", "requests", "spark_slo_requests_total"),
                    Row(
                        key: "errors_per_second", title: "5xx", unit: .perSecond,
                        value: Self.failures(now, since: before).map { $0 / seconds }),
                    slow("request_p95_seconds", "p95", "spark_slo_request_duration_seconds"),
                    value("availability_ratio", "available (1 h)", .ratio, "spark_slo_availability_ratio", ["window": "1h"]),
                    value("error_budget_remaining_ratio", "error budget", .ratio, "spark_slo_error_budget_remaining_ratio"),
                    value("connections", "connections", .count, "spark_stream_connections"),
                    value("websockets", "WebSockets", .count, "spark_websocket_connections_active"),
                ]
            ),
            (
                "people",
                [
                    rate("registrations_per_second", "sign-ups", "spark_accounts_registrations_total"),
                    rate("swipes_per_second", "swipes", "spark_matching_swipes_total"),
                    rate("matches_per_second", "matches", "spark_matching_matches_total"),
                    rate("messages_per_second", "messages", "spark_messages_sent_total"),
                    value("active_today", "active today", .count, "spark_users_active", ["window": "day"]),
                ]
            ),
            (
                "times (p95)",
                [
                    slow("deck_p95_seconds", "deck", "spark_matching_duration_seconds"),
                    slow("swipe_p95_seconds", "swipe", "spark_swipe_response_seconds"),
                    slow("delivery_p95_seconds", "delivery", "spark_message_delivery_duration_seconds"),
                    slow("commit_p95_seconds", "commit", "spark_database_commit_duration_seconds"),
                    slow("write_wait_p95_seconds", "write wait", "spark_database_write_wait_seconds"),
                ]
            ),
            (
                "machine",
                [
                    Row(
                        key: "processors", title: "processors", unit: .count,
                        value: now.growth("process_cpu_seconds_total", since: before).map { $0 / seconds }),
                    value("memory_bytes", "memory", .bytes, "process_resident_memory_bytes"),
                    Row(key: "event_loop_lag_seconds", title: "loop lag", unit: .seconds, value: lag),
                    Row(key: "cache_hit_ratio", title: "cache hits", unit: .ratio, value: Self.hits(now, since: before)),
                    value("write_queue_depth", "writes waiting", .count, "spark_database_write_queue_depth"),
                    value("wal_bytes", "WAL", .bytes, "spark_database_wal_bytes"),
                    value("outbox_jobs", "outbox", .count, "spark_outbox_jobs"),
                    value("disk_free_bytes", "disk free", .bytes, "spark_disk_free_bytes"),
                ]
            ),
            (
                "backups",
                [
                    time(
                        "last_backup_timestamp_seconds", "last backup", "spark_backup_last_success_timestamp_seconds"),
                    time(
                        "last_good_drill_timestamp_seconds", "last good drill", "spark_drill_last_success_timestamp_seconds"),
                ]
            ),
        ]
    }

    private static func failures(_ now: Scrape, since before: Scrape) -> Double? {
        let statuses = Set(now.samples("spark_http_requests_total").compactMap { $0.labels["status"] })
        guard !statuses.isEmpty else { return nil }
        return statuses.filter { $0.hasPrefix("5") }.reduce(0) { sum, status in
            sum + (now.growth("spark_http_requests_total", since: before, where: ["status": status]) ?? 0)
        }
    }

    /// The share of memory cache requests that were hits.
    private static func hits(_ now: Scrape, since before: Scrape) -> Double? {
        let name = "spark_cache_requests_total"
        guard let all = now.growth(name, since: before, where: ["layer": "l1"]), all > 0 else { return nil }
        let hits = ["hit", "stale"].reduce(0.0) {
            $0 + (now.growth(name, since: before, where: ["layer": "l1", "result": $1]) ?? 0)
        }
        return hits / all
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("version", version)
            for row in groups.flatMap(\.rows) {
                writer.key(row.key)
                if let value = row.value { writer.value(value) } else { writer.null() }
            }
            writer.field("alerts", alerts)
        }
    }

    /// The lines of one screen.
    var lines: [String] {
        var lines = ["spark \(version)"]
        for group in groups {
            lines += ["", group.title]
            lines += group.rows.map { row in
                let title = row.title.padding(toLength: 18, withPad: " ", startingAt: 0)
                return "  \(title)\(row.value.map { Self.text($0, row.unit) } ?? "–")"
            }
        }
        return lines + ["", "alerts"] + (alerts.isEmpty ? ["  none"] : alerts.map { "  \($0)" })
    }

    private static func text(_ value: Double, _ unit: Unit) -> String {
        switch unit {
        case .perSecond: return String(format: "%.1f /s", value)
        case .perMinute: return String(format: "%.1f /min", value)
        case .seconds: return value < 1 ? String(format: "%.2f ms", value * 1_000) : String(format: "%.2f s", value)
        case .ratio: return String(format: value > 0.99 && value < 1 ? "%.3f %%" : "%.1f %%", value * 100)
        case .time: return abs(value) < 1e11 ? "\(Timestamp(milliseconds: Int64(value * 1_000)))" : "–"
        case .count: return value == value.rounded() ? String(format: "%.0f", value) : String(format: "%.2f", value)
        case .bytes:
            let units = ["B", "KiB", "MiB", "GiB", "TiB"]
            let power = value < 1 ? 0 : min(units.count - 1, Int(log2(value) / 10))
            return String(format: power == 0 ? "%.0f " : "%.1f ", value / pow(1_024, Double(power))) + units[power]
        }
    }
}
