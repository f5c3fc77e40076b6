package import SparkCore

/// Decides which notifications a receiver gets and when: at once after a change, and again after four hours of firing, in case
/// the receiver lost the first one.
package struct AlertNotices: Sendable {
    private static let repeatAfter = Duration.hours(4)

    /// When the receiver was last notified of each firing rule.
    private var told: [String: Timestamp] = [:]

    package init() {}

    /// The notifications that are due after an evaluation.
    package mutating func next(_ changes: [AlertChange], in book: AlertBook, at now: Timestamp) -> [AlertNotification] {
        var notifications: [AlertNotification] = []
        for entry in book.groups.flatMap(\.entries) {
            let name = entry.rule.name
            let firing = entry.alerts.filter(\.isFiring)
            let resolved = changes.compactMap { change in
                if case .resolved(let alert) = change, alert.labels["alertname"] == name { alert } else { nil }
            }
            let hasFired = changes.contains { change in
                if case .fired(let alert) = change { alert.labels["alertname"] == name } else { false }
            }
            let isDue = !firing.isEmpty && told[name].map { now - $0 >= Self.repeatAfter || $0 > now } ?? false
            if hasFired || !resolved.isEmpty || isDue {
                notifications.append(AlertNotification(rule: name, alerts: firing + resolved))
                told[name] = now
            }
            if firing.isEmpty { told[name] = nil }
        }
        return notifications
    }
}
