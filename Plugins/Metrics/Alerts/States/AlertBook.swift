package import SparkCore

/// All rules with their alerts and the result of the last evaluation. A value type: a reader has the state of one moment.
package struct AlertBook: Sendable {
    /// A rule with its alerts and the fault of its last evaluation.
    package struct Entry: Sendable {
        package fileprivate(set) var machine: AlertRuleStateMachine
        package fileprivate(set) var fault: PromQLError?

        package var rule: AlertRule { machine.rule }

        /// Firing alerts first, then by labels.
        package var alerts: [Alert] {
            let order = ["firing": 0, "pending": 1, "resolved": 2]
            let keyed = machine.alerts.values.map { alert in
                (order[alert.state] ?? 3, alert.labels.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ","), alert)
            }
            return keyed.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
        }
    }

    /// A group of rules.
    package struct Group: Sendable {
        package let name: String
        package fileprivate(set) var entries: [Entry]
    }

    package private(set) var groups: [Group]
    /// Nil before the first evaluation.
    package private(set) var evaluatedAt: Timestamp?

    package init(_ groups: [AlertRuleGroup]) {
        self.groups = groups.map { group in
            Group(name: group.name, entries: group.rules.map { Entry(machine: AlertRuleStateMachine(rule: $0)) })
        }
    }

    /// Every alert that is pending, firing or recently resolved.
    package var alerts: [Alert] { groups.flatMap { $0.entries.flatMap(\.alerts) } }

    /// Rules whose last evaluation failed, by name.
    package var faults: [String: PromQLError] {
        let faults = groups.flatMap { $0.entries.compactMap { entry in entry.fault.map { (entry.rule.name, $0) } } }
        return Dictionary(faults) { first, _ in first }
    }

    /// Evaluates every rule. If a rule's evaluation fails, its alerts are kept and the fault is stored beside them.
    package mutating func evaluate(at now: Timestamp, in source: some SeriesSource) -> [AlertChange] {
        var changes: [AlertChange] = []
        for group in groups.indices {
            for place in groups[group].entries.indices {
                changes += evaluate(&groups[group].entries[place], at: now, in: source)
            }
        }
        evaluatedAt = now
        return changes
    }

    /// Replays the last half hour minute by minute, so that after a restart firing alerts fire and pending alerts stay pending.
    /// Must be called before the first evaluation; costs thirty evaluations.
    ///
    /// - Returns: the alerts that fire now. They are reported again, since it is unknown whether they were reported before.
    package mutating func recover(at now: Timestamp, in source: some SeriesSource) -> [AlertChange] {
        for minutes in (1...30).reversed() { _ = evaluate(at: now - .minutes(minutes), in: source) }
        let changes = evaluate(at: now, in: source)
        let told = Set(changes.map(\.alert.labels))
        return changes + alerts.filter { $0.isFiring && !told.contains($0.labels) }.map { .fired($0) }
    }

    private func evaluate(_ entry: inout Entry, at now: Timestamp, in source: some SeriesSource) -> [AlertChange] {
        do {
            let elements = try entry.rule.expression.evaluate(at: now, in: source)
            let changes = try entry.machine.update(elements, at: now)
            entry.fault = nil
            return changes
        } catch {
            entry.fault = error
            return []
        }
    }
}

extension AlertBook: JSONObject {
    /// In the format of Prometheus's `/api/v1/rules`. Resolved alerts are included for a while, with `resolvedAt`.
    package static let fields = Fields<AlertBook>("AlertRules", "Rules and alerts, in Prometheus's format.") {
        Field("status", { _ in "success" }, .constant("success"))
        Field("data", { Listing(book: $0) })
    }

    private struct Listing: JSONObject {
        let book: AlertBook

        static let fields = Fields<Listing>("AlertRuleListing", "All groups of rules.") {
            Field(
                "groups", { listing in listing.book.groups.map { ListedGroup(group: $0, evaluatedAt: listing.book.evaluatedAt) } }
            )
        }
    }

    private struct ListedGroup: JSONObject {
        let group: Group
        let evaluatedAt: Timestamp?

        static let fields = Fields<ListedGroup>("AlertRuleGroup", "A group of rules.") {
            Field("name", \.group.name, .string)
            Field("evaluatedAt", \.evaluatedAt, "Null before the first evaluation.")
            Field("rules", \.group.entries)
        }
    }
}

extension AlertBook.Entry: JSONObject {
    /// The state of the most severe alert.
    var state: String {
        let states = machine.alerts.values.map(\.state)
        return states.contains("firing") ? "firing" : states.contains("pending") ? "pending" : "inactive"
    }

    /// The members in their order.
    package static let fields = Fields<AlertBook.Entry>("AlertRule", "A rule with its alerts.") {
        Field("type", { _ in "alerting" }, .constant("alerting"))
        Field("name", \.rule.name, .string)
        Field("state", \.state, .string.example("inactive"), "firing, pending or inactive.")
        Field("query", \.rule.expression.text, .string)
        Field("duration", \.rule.hold.inSeconds, .number(0...1e15))
        Field("keepFiringFor", \.rule.keepFiring.inSeconds, .number(0...1e15))
        Field("labels", { $0.rule.labels.mapValues(\.text) }, .texts)
        Field("annotations", { $0.rule.annotations.mapValues(\.text) }, .texts)
        Field("health", { $0.fault == nil ? "ok" : "err" }, .string.example("ok"))
        Field("lastError", { $0.fault.map { "\($0)" } ?? "" }, .string)
        Field("alerts", \.alerts)
    }
}

extension Alert: JSONObject {
    /// The members in their order.
    package static let fields = Fields<Alert>("Alert", "An alert.") {
        Field("state", \.state, .string.example("firing"), "pending, firing or resolved.")
        Field("labels", \.labels, .texts)
        Field("annotations", \.annotations, .texts)
        Field("value", { "\($0.value)" }, .string.example("0.5"))
        Field("activeAt", \.activeSince)
        Field(optional: "resolvedAt", \.resolvedAt)
    }
}

extension FieldType where Value == [String: String] {
    /// An object of strings, sorted by key.
    fileprivate static var texts: FieldType {
        FieldType(
            Schema(["type": "object", "additionalProperties": ["type": "string"]], example: ["severity": "page"])
                .named("AlertTexts", "Texts by name.")
        ) { texts, writer in JSONValue.strings(texts).write(to: &writer) }
    }
}

extension JSONValue {
    /// An object of strings, sorted by key.
    static func strings(_ values: [String: String]) -> JSONValue {
        .object(values.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })
    }
}
