package import SparkCore

/// One alert of a rule: one set of labels.
package struct Alert: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        /// The expression holds, not yet long enough.
        case pending
        /// `keptSince`: the expression holds no more, the alert is kept for a while.
        case firing(since: Timestamp, keptSince: Timestamp?)
        /// It fired and is over; shown for a quarter of an hour.
        case resolved(at: Timestamp, fired: Timestamp)
    }

    /// Those of the element and the rule's, with `alertname`.
    package let labels: [String: String]
    package var annotations: [String: String]
    /// What the expression gave last.
    package var value: Double
    /// Since when the expression has held.
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

    /// When it began to fire.
    package var firedAt: Timestamp? {
        switch phase {
        case .pending: nil
        case .firing(let since, _): since
        case .resolved(_, let fired): fired
        }
    }

    package var resolvedAt: Timestamp? { if case .resolved(let at, _) = phase { at } else { nil } }
}

/// What somebody should be told.
package enum AlertChange: Hashable, Sendable {
    case fired(Alert)
    case resolved(Alert)

    package var alert: Alert {
        switch self {
        case .fired(let alert), .resolved(let alert): alert
        }
    }
}
