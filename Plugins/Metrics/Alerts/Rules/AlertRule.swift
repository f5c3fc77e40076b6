/// An alert rule, with the terms of Prometheus's rule files.
package struct AlertRule: Hashable, Sendable {
    package let name: String
    package let expression: PromQuery
    /// How long the expression must hold before the alert fires (`for`).
    package let hold: Duration
    /// How long the alert keeps firing after the expression no longer holds.
    package let keepFiring: Duration
    /// Labels added to those of the expression's elements. The values are templates, as in the annotations.
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

extension AlertRule {
    /// The same rule with a further annotation.
    func annotated(_ name: String, _ text: AlertTemplate) -> AlertRule {
        AlertRule(
            name: self.name, expression: expression, hold: hold, keepFiring: keepFiring, labels: labels,
            annotations: annotations.merging([name: text]) { $1 })
    }
}

/// Rules that are evaluated in order.
package struct AlertRuleGroup: Hashable, Sendable {
    package let name: String
    package let rules: [AlertRule]

    package init(name: String, rules: [AlertRule]) {
        self.name = name
        self.rules = rules
    }
}
