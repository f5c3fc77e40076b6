package import SparkCore

/// An alert of a rule for one set of labels.
package struct Alert: Hashable, Sendable {
    /// The state of an alert.
    package enum Phase: Hashable, Sendable {
        /// The expression holds, but not long enough yet.
        case pending
        /// `keptSince`: the expression no longer holds, but the alert is kept firing for a while.
        case firing(since: Timestamp, keptSince: Timestamp?)
        /// The alert fired and is over. It is shown for another quarter of an hour.
        case resolved(at: Timestamp, fired: Timestamp)
    }

    /// The labels of the element and the rule, with `alertname`.
    package let labels: [String: String]
    package var annotations: [String: String]
    /// The expression's last value.
    package var value: Double
    /// When the expression began to hold.
    package var activeSince: Timestamp
    package var phase: Phase

    package var isFiring: Bool { if case .firing = phase { true } else { false } }

    package var state: String {
        switch phase {
        case .pending: "pending"
        case .firing: "firing"
        case .resolved: "resolved"
        }
    }

    /// When the alert began to fire.
    package var firedAt: Timestamp? {
        switch phase {
        case .pending: nil
        case .firing(let since, _): since
        case .resolved(_, let fired): fired
        }
    }

    /// When the alert was resolved; nil before.
    package var resolvedAt: Timestamp? { if case .resolved(let at, _) = phase { at } else { nil } }
}

/// A change that is reported.
package enum AlertChange: Hashable, Sendable {
    case fired(Alert)
    case resolved(Alert)

    package var alert: Alert {
        switch self {
        case .fired(let alert), .resolved(let alert): alert
        }
    }
}
