/// One built-in rule: a row of `DefaultRules`.
struct DefaultRule {
    enum Severity: String { case info, warning, critical }

    let name: String
    let expression: String
    let hold: Duration
    let severity: Severity
    /// The part of the server that the rule monitors.
    private let component: String
    let summary: String
    let description: String

    init(
        _ name: String, _ severity: Severity, _ component: String, _ expression: String, hold: Duration, _ summary: String,
        _ description: String
    ) {
        self.name = name
        self.severity = severity
        self.component = component
        self.expression = expression
        self.hold = hold
        self.summary = summary
        self.description = description
    }

    /// The section of the operators' pages that says what to do.
    private var runbook: String { "docs/operating/runbook.md#\(name.lowercased())" }

    /// Nil for an invalid row; a test ensures that there is none.
    var rule: AlertRule? {
        guard let query = try? PromQuery(expression), let summary = AlertTemplate(summary),
            let description = AlertTemplate(description), let severity = AlertTemplate(severity.rawValue),
            let component = AlertTemplate(component), let runbook = AlertTemplate(runbook)
        else { return nil }
        return AlertRule(
            name: name, expression: query, hold: hold, labels: ["severity": severity, "component": component],
            annotations: ["summary": summary, "description": description, "runbook": runbook])
    }
}
