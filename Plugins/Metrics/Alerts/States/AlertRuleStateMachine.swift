package import SparkCore

/// The alerts of one rule over time: inactive → pending → firing → resolved per set of labels, with the transitions of Prometheus
/// (`AlertingRule.Eval`). Pure: takes the expression's result and the time, returns changes.
package struct AlertRuleStateMachine: Sendable {
    /// Maximum alerts of one rule. An expression that gives more is an error: an operator would have to read them all.
    package static let alertsLimit = 500
    /// How long a resolved alert is shown.
    private static let shownAfter = Duration.minutes(15)

    package let rule: AlertRule
    /// The alerts by their labels.
    package private(set) var alerts: [[String: String]: Alert] = [:]

    package init(rule: AlertRule) { self.rule = rule }

    /// Applies one evaluation.
    /// - Throws: `PromQLError.matching` or `.bound`; the state is unchanged then.
    package mutating func update(_ elements: [PromElement], at now: Timestamp) throws(PromQLError) -> [AlertChange] {
        let found = try seen(elements, at: now)
        var changes: [AlertChange] = []
        for (labels, alert) in found where alerts[labels]?.resolvedAt != nil || alerts[labels] == nil { alerts[labels] = alert }
        for (labels, alert) in alerts {
            let next = found[labels].map { holding(alert, $0, at: now) } ?? ceased(alert, at: now)
            alerts[labels] = next
            if let next, next.isFiring, !alert.isFiring { changes.append(.fired(next)) }
            if let next, next.resolvedAt != nil, alert.resolvedAt == nil { changes.append(.resolved(next)) }
        }
        return changes
    }

    /// The alerts of the elements, as if each were new.
    private func seen(_ elements: [PromElement], at now: Timestamp) throws(PromQLError) -> [[String: String]: Alert] {
        guard elements.count <= Self.alertsLimit else { throw .bound("The rule gives too many alerts.") }
        var found: [[String: String]: Alert] = [:]
        for element in elements {
            var labels = element.labels
            labels["__name__"] = nil
            let own = labels
            let fill = { (template: AlertTemplate) in template.filled(labels: own, value: element.value) }
            labels.merge(rule.labels.mapValues(fill)) { $1 }
            labels["alertname"] = rule.name
            let alert = Alert(
                labels: labels, annotations: rule.annotations.mapValues(fill), value: element.value, activeSince: now,
                phase: .pending)
            guard found.updateValue(alert, forKey: labels) == nil else {
                throw .matching("Two alerts of the rule have the same labels.")
            }
        }
        return found
    }

    /// Updates an alert whose expression holds.
    private func holding(_ alert: Alert, _ found: Alert, at now: Timestamp) -> Alert {
        var next = alert
        // The clock was set back: `activeSince` must not lie in the future.
        next.activeSince = min(alert.activeSince, now)
        next.value = found.value
        next.annotations = found.annotations
        switch alert.phase {
        case .pending where now - next.activeSince >= rule.hold: next.phase = .firing(since: now, keptSince: nil)
        case .firing(let since, _): next.phase = .firing(since: since, keptSince: nil)
        case .pending, .resolved: break
        }
        return next
    }

    /// Updates an alert whose expression no longer holds; nil when the alert ends.
    private func ceased(_ alert: Alert, at now: Timestamp) -> Alert? {
        var next = alert
        switch alert.phase {
        case .pending: return nil
        case .firing(let since, let kept):
            let keptSince = min(kept ?? now, now)
            if rule.keepFiring > .zero, now - keptSince < rule.keepFiring {
                next.phase = .firing(since: since, keptSince: keptSince)
            } else {
                next.phase = .resolved(at: now, fired: since)
            }
        case .resolved(let at, _): if now - at > Self.shownAfter || at > now { return nil }
        }
        return next
    }
}
