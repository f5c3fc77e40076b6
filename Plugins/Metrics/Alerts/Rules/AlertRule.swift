package import SparkPromQL

/// When to alert, in the words of Prometheus's rule files.
package struct AlertRule: Hashable, Sendable {
    package let name: String
    package let expression: PromQuery
    /// How long the expression must have held before the alert fires (`for`).
    package let hold: Duration
    /// How long the alert goes on after the expression stopped to hold.
    package let keepFiring: Duration
    /// Added to the labels of the expression's elements. The values are templates, as those of the annotations are.
    package let labels: [String: AlertTemplate]
    package let annotations: [String: AlertTemplate]

    package init(
        name: String, expression: PromQuery, hold: Duration = .zero, keepFiring: Duration = .zero,
        labels: [String: AlertTemplate] = [:], annotations: [String: AlertTemplate] = [:]
    ) {
        self.name = name
        self.expression = expression
        self.hold = hold
        self.keepFiring = keepFiring
        self.labels = labels
        self.annotations = annotations
    }
}

/// Rules that are evaluated one after the other, in their order.
package struct AlertRuleGroup: Hashable, Sendable {
    package let name: String
    package let rules: [AlertRule]

    package init(name: String, rules: [AlertRule]) {
        self.name = name
        self.rules = rules
    }
}
