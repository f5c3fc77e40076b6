import SparkCore

@testable import SparkMetrics

/// Runs a scenario through its rule in the process, every 15 seconds.
struct AlertRun {
    let scenario: AlertScenario
    let source: RecordedSeries
    let changes: [AlertChange]
    private let firing: [Int: [Alert]]

    init(_ scenario: AlertScenario) {
        var source = RecordedSeries()
        scenario.record(into: &source, instance: scenario.rule)
        let times = Self.times
        let rules = DefaultRules.groups.flatMap(\.rules).filter { $0.name == scenario.rule }
        var book = AlertBook([AlertRuleGroup(name: "one", rules: rules)])
        var changes: [AlertChange] = []
        var firing: [Int: [Alert]] = [:]
        for second in stride(from: 0, to: AlertScenario.minutes * 60, by: 15) {
            changes += book.evaluate(at: Timestamp(milliseconds: Int64(second) * 1_000), in: source)
            if second % 60 == 0, times.contains(second / 60) { firing[second / 60] = book.alerts.filter(\.isFiring) }
        }
        self.scenario = scenario
        self.source = source
        self.changes = changes
        self.firing = firing
    }

    /// The inspected minutes.
    static let times = [0, 3, 8, 15, 20, 24, 26, 28, 35, 45, 64]

    func firing(at minute: Int, of rule: String) -> [Alert] {
        (firing[minute] ?? []).filter { $0.labels["alertname"] == rule }
    }

    /// Prometheus must find exactly what was found here.
    var promtoolTest: String {
        var out = "  - interval: 15s\n    input_series:\n\(source.yaml)    alert_rule_test:\n"
        for minute in Self.times {
            out += "      - eval_time: \(minute)m\n        alertname: \(scenario.rule)\n        exp_alerts:"
            let alerts = firing(at: minute, of: scenario.rule)
            out += alerts.isEmpty ? " []\n" : "\n"
            for alert in alerts {
                let labels = alert.labels.filter { $0.key != "alertname" }
                out +=
                    "          - exp_labels: {\(Self.flow(labels))}\n            exp_annotations: {\(Self.flow(alert.annotations))}\n"
            }
        }
        return out
    }

    private static func flow(_ values: [String: String]) -> String {
        values.sorted { $0.key < $1.key }.map { "\($0.key): '\($0.value.replacing("'", with: "''"))'" }.joined(separator: ", ")
    }
}
