package import SparkCore
import SparkKit

/// A dashboard for Grafana (schema 39) with every metric that is declared: an overview, then a row for each part of the server.
package struct GrafanaDashboard: Sendable {
    static let source: JSONValue = ["type": "prometheus", "uid": "${datasource}"]
    private static let (width, height) = (8, 7)

    package let rows: [(title: String, panels: [DashboardPanel])]

    package init(_ groups: [MetricGroup]) {
        rows =
            [("Overview", Self.overview)]
            + groups.map { group in (group.title, group.metrics.map { DashboardPanel($0) }) }
    }

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
