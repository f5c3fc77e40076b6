package import SparkCore

/// The notification about one rule: all its firing alerts, and those just resolved. The format is that of Alertmanager's webhooks
/// (version 4), so existing receivers understand it.
package struct AlertNotification: Hashable, Sendable {
    package let rule: String
    package let alerts: [Alert]

    package init(rule: String, alerts: [Alert]) {
        self.rule = rule
        self.alerts = alerts
    }

    /// The body of the webhook request.
    package var json: JSONValue {
        [
            "version": "4", "groupKey": .string("{}:{alertname=\"\(rule)\"}"), "truncatedAlerts": 0,
            "status": alerts.contains(where: \.isFiring) ? "firing" : "resolved", "receiver": "spark",
            "groupLabels": ["alertname": .string(rule)], "commonLabels": .strings(common(\.labels)),
            "commonAnnotations": .strings(common(\.annotations)), "externalURL": "",
            "alerts": .array(alerts.map { Self.json(of: $0) }),
        ]
    }

    private func common(_ texts: (Alert) -> [String: String]) -> [String: String] {
        guard let first = alerts.first.map(texts) else { return [:] }
        return first.filter { key, value in alerts.allSatisfy { texts($0)[key] == value } }
    }

    private static func json(of alert: Alert) -> JSONValue {
        [
            "status": alert.isFiring ? "firing" : "resolved", "labels": .strings(alert.labels),
            "annotations": .strings(alert.annotations), "startsAt": .string((alert.firedAt ?? alert.activeSince).description),
            "endsAt": .string(alert.resolvedAt?.description ?? "0001-01-01T00:00:00Z"), "generatorURL": "",
            "fingerprint": .string(fingerprint(of: alert.labels)),
        ]
    }

    /// FNV-1a over the sorted labels. A byte that never occurs in UTF-8 ends each text, as in Prometheus's `common/model`.
    static func fingerprint(of labels: [String: String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            for byte in Array(name.utf8) + [0xFF] + Array(value.utf8) + [0xFF] {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: max(0, 16 - digits.count)) + digits
    }
}
