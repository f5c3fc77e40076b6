import SparkCore
import SparkKit

/// One chart: its Prometheus queries and its unit.
package struct DashboardPanel: Sendable {
    package struct Query: Sendable {
        package let expression: String
        let legend: String
    }

    let title: String
    let help: String
    let unit: String
    /// Whether the axis begins at zero.
    private let isFromZero: Bool
    package let queries: [Query]

    init(_ title: String, help: String, unit: String, isFromZero: Bool = true, _ queries: [Query]) {
        self.title = title
        self.help = help
        self.unit = unit
        self.isFromZero = isFromZero
        self.queries = queries
    }

    /// A counter as a rate, a histogram as quantiles, a gauge as its value; one line per set of labels.
    init(_ metric: MetricDeclaration) {
        switch metric.kind {
        case .counter:
            self.init(
                metric.name, help: metric.help, unit: Self.rateUnit(metric.name),
                [
                    Query(
                        expression: "\(Self.sum(metric.labels))(rate(\(metric.name)\(Self.scope)[\(Self.window)]))",
                        legend: Self.legend(metric))
                ]
            )
        case .gauge:
            let isTime = metric.name.hasSuffix("_timestamp_seconds") || metric.name == "process_start_time_seconds"
            self.init(
                metric.name, help: metric.help, unit: isTime ? "dateTimeAsIso" : Self.unit(metric.name),
                // A budget may be overdrawn.
                isFromZero: !isTime && !metric.name.hasSuffix("_remaining_ratio"),
                [Query(expression: "\(metric.name)\(Self.scope)\(isTime ? " * 1000" : "")", legend: Self.legend(metric))])
        case .histogram:
            self.init(
                metric.name, help: metric.help, unit: Self.unit(metric.name),
                (metric.labels.isEmpty ? ["0.5", "0.95", "0.99"] : ["0.95"]).map {
                    Self.quantile($0, of: metric.name, by: metric.labels)
                })
        }
    }

    /// One line per value of `labels`; `instance` is always one of them.
    static func quantile(_ quantile: String, of name: String, by labels: [String] = []) -> Query {
        let sum = sum(labels + ["le"])
        let marks = labels.map { "{{\($0)}} " }.joined()
        return Query(
            expression: "histogram_quantile(\(quantile), \(sum)(rate(\(name)_bucket\(scope)[\(window)])))",
            legend: "\(marks)p\(quantile.dropFirst(2).padded)")
    }

    static func sum(_ labels: [String]) -> String { "sum by (\((["instance"] + labels).joined(separator: ", "))) " }

    static let window = "$__rate_interval"
    static let scope = #"{instance=~"$instance"}"#

    private static func legend(_ metric: MetricDeclaration) -> String {
        metric.labels.isEmpty ? "{{instance}}" : metric.labels.map { "{{\($0)}}" }.joined(separator: " ")
    }

    /// Grafana's unit identifiers.
    private static func unit(_ name: String) -> String {
        for (suffix, unit) in [("_seconds", "s"), ("_bytes", "bytes"), ("_ratio", "percentunit")] where name.hasSuffix(suffix) {
            return unit
        }
        return "short"
    }

    private static func rateUnit(_ name: String) -> String {
        if name.hasSuffix("_bytes_total") { return "Bps" }
        return name.hasSuffix("_seconds_total") ? "percentunit" : "ops"
    }

    func json(id: Int, x: Int, y: Int, width: Int, height: Int) -> JSONValue {
        let targets = queries.enumerated().map { place, query -> JSONValue in
            [
                "refId": .string(place < 26 ? String(UnicodeScalar(UInt8(65 + place))) : "Z"),
                "datasource": GrafanaDashboard.source,
                "expr": .string(query.expression), "legendFormat": .string(query.legend), "range": true,
            ]
        }
        return [
            "id": .integer(Int64(id)), "type": "timeseries", "title": .string(title), "description": .string(help),
            "datasource": GrafanaDashboard.source,
            "gridPos": [
                "h": .integer(Int64(height)), "w": .integer(Int64(width)), "x": .integer(Int64(x)), "y": .integer(Int64(y)),
            ],
            "fieldConfig": [
                "defaults": [
                    "unit": .string(unit), "min": isFromZero ? 0 : .null,
                    "custom": ["lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false],
                ], "overrides": [],
            ],
            "options": [
                "legend": ["displayMode": "list", "placement": "bottom", "showLegend": true],
                "tooltip": ["mode": "multi", "sort": "desc"],
            ],
            "targets": .array(targets),
        ]
    }
}

extension Substring {
    /// The digits of a quantile as a percentile: 5 is the fiftieth.
    fileprivate var padded: String { count == 1 ? "\(self)0" : "\(self)" }
}
