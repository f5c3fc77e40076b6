import SparkCore

@testable import SparkMetrics

/// Runs a scenario through its rule in the process.
struct AlertRun {
    let scenario: AlertScenario
    let source: RecordedSeries
    let changes: [AlertChange]
    private let firing: [Int: [Alert]]

    init(_ scenario: AlertScenario) {
        let course = scenario.course
        var source = RecordedSeries(step: .seconds(course.step))
        scenario.record(into: &source, instance: scenario.rule)
        let times = Set(Self.times(of: scenario))
        let rules = DefaultRules.groups.flatMap(\.rules).filter { $0.name == scenario.rule }
        var book = AlertBook([AlertRuleGroup(name: "one", rules: rules)])
        var changes: [AlertChange] = []
        var firing: [Int: [Alert]] = [:]
        for second in stride(from: 0, to: course.minutes * 60, by: course.step) {
            changes += book.evaluate(at: Timestamp(milliseconds: Int64(second) * 1_000), in: source)
            if times.contains(second) { firing[second] = book.alerts.filter(\.isFiring) }
        }
        self.scenario = scenario
        self.source = source
        self.changes = changes
        self.firing = firing
    }

    /// The inspected seconds.
    private static func times(of scenario: AlertScenario) -> [Int] {
        let course = scenario.course
        let steps =
            [0, 12, 32, 60, 80, 96, 104, 112, 140, 180].map { course.goodMinutes * 60 + $0 * course.step }
            + [scenario.badEnd, course.minutes * 60 - course.step]
        return Set([0] + steps).filter { $0 < course.minutes * 60 }.sorted()
    }

    func firing(at second: Int) -> [Alert] {
        (firing[second] ?? []).filter { $0.labels["alertname"] == scenario.rule }
    }

    /// Prometheus must find exactly what was found here.
    var promtoolTest: String {
        var out = "  - interval: \(scenario.course.step)s\n    input_series:\n\(source.yaml)    alert_rule_test:\n"
        for second in Self.times(of: scenario) {
            out += "      - eval_time: \(second)s\n        alertname: \(scenario.rule)\n        exp_alerts:"
            let alerts = firing(at: second)
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
