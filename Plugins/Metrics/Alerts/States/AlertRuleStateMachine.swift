package import SparkCore
package import SparkPromQL

/// The alerts of one rule over time: inactive → pending → firing → resolved, for each set of labels, as Prometheus goes through
/// them (its `AlertingRule.Eval`). Pure: results of the expression and the time go in, changes come out.
package struct AlertRuleStateMachine: Sendable {
    /// Alerts of one rule at once; an expression that gives more is an error, for somebody would have to read them.
    package static let alertsLimit = 500
    /// How long a resolved alert is still shown.
    private static let shownAfter = Duration.minutes(15)

    package let rule: AlertRule
    package private(set) var alerts: [[String: String]: Alert] = [:]

    package init(rule: AlertRule) { self.rule = rule }

    /// One evaluation. Throws `.matching` or `.bound`, and then nothing changes.
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

    /// The alerts that the elements call for, as if each were new.
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

    /// An alert whose expression holds.
    private func holding(_ alert: Alert, _ found: Alert, at now: Timestamp) -> Alert {
        var next = alert
        // The clock was put back: no hold lasts longer than it should.
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

    /// An alert whose expression holds no more; nil when nothing is left to say of it.
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
