package import SparkCore
import SparkPromQL

extension AlertBook {
    /// The shape of Prometheus's `/api/v1/rules`; resolved alerts stand among the others for a while, with `resolvedAt`.
    package var json: JSONValue {
        [
            "status": "success",
            "data": [
                "groups": .array(
                    groups.map { group in
                        [
                            "name": .string(group.name), "evaluatedAt": evaluatedAt.map { .string($0.description) } ?? .null,
                            "rules": .array(group.entries.map(\.json)),
                        ]
                    })
            ],
        ]
    }
}

extension AlertBook.Entry {
    /// The state of its worst alert.
    var state: String {
        let states = machine.alerts.values.map(\.state)
        return states.contains("firing") ? "firing" : states.contains("pending") ? "pending" : "inactive"
    }

    fileprivate var json: JSONValue {
        [
            "type": "alerting", "name": .string(rule.name), "state": .string(state), "query": .string(rule.expression.text),
            "duration": .number(rule.hold.inSeconds), "keepFiringFor": .number(rule.keepFiring.inSeconds),
            "labels": .strings(rule.labels.mapValues(\.text)), "annotations": .strings(rule.annotations.mapValues(\.text)),
            "health": fault == nil ? "ok" : "err", "lastError": fault.map { .string("\($0)") } ?? "",
            "alerts": .array(alerts.map(\.json)),
        ]
    }
}

extension Alert {
    fileprivate var json: JSONValue {
        var members: [JSONMember] = [
            JSONMember("state", .string(state)), JSONMember("labels", .strings(labels)),
            JSONMember("annotations", .strings(annotations)), JSONMember("value", .string("\(value)")),
            JSONMember("activeAt", .string(activeSince.description)),
        ]
        if let resolvedAt { members.append(JSONMember("resolvedAt", .string(resolvedAt.description))) }
        return .object(members)
    }
}

extension JSONValue {
    /// An object of strings, ordered by their keys.
    static func strings(_ values: [String: String]) -> JSONValue {
        .object(values.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })
    }
}
