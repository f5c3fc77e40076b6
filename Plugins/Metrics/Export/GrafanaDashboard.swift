package import SparkCore
package import SparkKit

/// A Grafana dashboard (schema 39) with every declared metric: an overview, then a row per module.
package struct GrafanaDashboard: Sendable {
    static let source: JSONValue = ["type": "prometheus", "uid": "${datasource}"]
    private static let (width, height) = (8, 7)

    package let rows: [(title: String, panels: [DashboardPanel])]

    package init(_ groups: [MetricGroup]) {
        rows =
            [("Overview", Self.overview)]
            + groups.map { group in (group.title, group.metrics.map { DashboardPanel($0) }) }
    }

    /// The dashboard in Grafana's JSON model.
    package var json: JSONValue {
        [
            "uid": "spark", "title": "Spark", "description": "Made by spark export grafana-dashboard.", "tags": ["spark"],
            "schemaVersion": 39, "version": 1, "editable": true, "graphTooltip": 1, "refresh": "30s", "timezone": "browser",
            "time": ["from": "now-6h", "to": "now"],
            "templating": ["list": .array([Self.sourceVariable, Self.instanceVariable])], "annotations": ["list": []],
            "links": [], "panels": .array(panels),
        ]
    }

    private var panels: [JSONValue] {
        var panels: [JSONValue] = []
        var y = 0
        for row in rows {
            panels.append([
                "id": .integer(Int64(panels.count + 1)), "type": "row", "title": .string(row.title), "collapsed": false,
                "gridPos": ["h": 1, "w": 24, "x": 0, "y": .integer(Int64(y))], "panels": [],
            ])
            y += 1
            for (place, panel) in row.panels.enumerated() {
                let (line, column) = place.quotientAndRemainder(dividingBy: 24 / Self.width)
                panels.append(
                    panel.json(
                        id: panels.count + 1, x: column * Self.width, y: y + line * Self.height, width: Self.width,
                        height: Self.height))
            }
            y += (row.panels.count + 2) / 3 * Self.height
        }
        return panels
    }

    private static let sourceVariable: JSONValue = [
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0, "refresh": 1,
        "current": [:], "options": [], "multi": false, "includeAll": false, "regex": "",
    ]

    private static let instanceVariable: JSONValue = [
        "name": "instance", "label": "Server", "type": "query", "datasource": source, "hide": 0, "refresh": 2, "sort": 1,
        "definition": "label_values(spark_build_info, instance)",
        "query": ["query": "label_values(spark_build_info, instance)", "refId": "instance"], "regex": "", "options": [],
        "current": ["text": "All", "value": "$__all"], "multi": true, "includeAll": true, "allValue": ".*",
    ]
}

extension GrafanaDashboard {
    /// The most important panels.
    static let overview = [
        DashboardPanel(
            "Requests", help: "Answered requests by status.", unit: "reqps",
            [query("sum by (status) (rate(spark_http_requests_total\(scope)[\(window)]))", "{{status}}")]),
        DashboardPanel(
            "Answer time", help: "Of all requests, except those that wait for events.", unit: "s",
            ["0.5", "0.95", "0.99"].map { quantile in
                query(
                    """
                    histogram_quantile(\(quantile), sum by (le) (rate(spark_http_request_duration_seconds_bucket\
                    {instance=~"$instance",route!~"/api/v1/(stream|poll|ws)"}[\(window)])))
                    """, "p\(quantile.dropFirst(2).count == 1 ? "50" : "\(quantile.dropFirst(2))")")
            }),
        DashboardPanel(
            "Server errors", help: "Share of the requests that end with a status of 5xx.", unit: "percentunit",
            [
                query(
                    """
                    (sum(rate(spark_http_requests_total{instance=~"$instance",status=~"5.."}[\(window)])) or vector(0)) \
                    / sum(rate(spark_http_requests_total\(scope)[\(window)]))
                    """, "errors")
            ]),
        DashboardPanel(
            "Availability", help: "Share of clients' requests that were not failed with 5xx, by window.", unit: "percentunit",
            isFromZero: false, [query("spark_slo_availability_ratio\(scope)", "{{instance}} {{window}}")]),
        DashboardPanel(
            "Error budget", help: "Share of the errors allowed in 30 days that is left.", unit: "percentunit",
            isFromZero: false, [query("spark_slo_error_budget_remaining_ratio\(scope)", "{{instance}}")]),
        DashboardPanel(
            "Answer time and the week before", help: "P95 of an hour of clients' requests, and of the same hour a week ago.",
            unit: "s",
            [("", "now"), (" offset 1w", "a week ago")].map { offset, legend in
                query(
                    """
                    histogram_quantile(0.95, sum by (le) \
                    (rate(spark_slo_request_duration_seconds_bucket\(scope)[1h]\(offset))))
                    """, legend)
            }),
        DashboardPanel(
            "Match calculation", help: "Time to make a deck.", unit: "s",
            ["0.5", "0.95"].map { DashboardPanel.quantile($0, of: "spark_matching_duration_seconds") }),
        DashboardPanel(
            "Cache hits by layer", help: "Share of the requests that a layer answers.", unit: "percentunit",
            ["l1", "disk"].map { layer in
                query(
                    """
                    sum(rate(spark_cache_requests_total{instance=~"$instance",layer="\(layer)",result=~"hit|stale"}[\(window)])) \
                    / sum(rate(spark_cache_requests_total{instance=~"$instance",layer="\(layer)"}[\(window)]))
                    """, layer)
            }),
        DashboardPanel(
            "Messages", help: "Messages that were sent.", unit: "ops",
            [query("sum by (kind) (rate(spark_messages_sent_total\(scope)[\(window)]))", "{{kind}}")]),
        DashboardPanel(
            "Delivery of messages", help: "From the commit until it is with the receiver's connection.", unit: "s",
            ["0.5", "0.95"].map { DashboardPanel.quantile($0, of: "spark_message_delivery_duration_seconds") }),
        DashboardPanel(
            "Connections", help: "Open WebSocket connections.", unit: "short",
            [query("spark_websocket_connections_active\(scope)", "{{instance}}")]),
        DashboardPanel(
            "Match rate", help: "Matches for each like.", unit: "percentunit",
            [
                query(
                    """
                    sum(rate(spark_matching_matches_total\(scope)[1h])) \
                    / sum(rate(spark_matching_swipes_total{instance=~"$instance",action=~"like|superlike"}[1h]))
                    """, "matches")
            ]),
    ]

    private static let (window, scope) = (DashboardPanel.window, DashboardPanel.scope)

    private static func query(_ expression: String, _ legend: String) -> DashboardPanel.Query {
        DashboardPanel.Query(expression: expression, legend: legend)
    }
}

/// The metrics of one module: a row of panels.
package struct MetricGroup: Sendable {
    package let title: String
    package let metrics: [MetricDeclaration]

    package init(title: String, metrics: [MetricDeclaration]) {
        self.title = title
        self.metrics = metrics
    }

    /// One group per manifest that declares metrics.
    package static func all(_ manifests: [ModuleManifest]) -> [MetricGroup] {
        manifests.filter { !$0.metrics.isEmpty }.map { MetricGroup(title: $0.id, metrics: $0.metrics) }
    }
}
