import Logging

/// Logs alerts with constant messages and metadata. Labels and annotations come from metrics, which contain no personal data.
enum AlertLog {
    static func write(_ change: AlertChange, to logger: Logger) {
        let alert = change.alert
        var metadata: Logger.Metadata = [
            "alert": .string(alert.labels["alertname"] ?? ""), "value": .string("\(alert.value)"),
            "labels": .string(alert.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")),
        ]
        if let text = alert.annotations["description"] ?? alert.annotations["summary"] { metadata["text"] = .string(text) }
        switch change {
        case .fired: logger.warning("alert firing", metadata: metadata)
        case .resolved: logger.notice("alert resolved", metadata: metadata)
        }
    }

    /// Logs rules that can no longer be evaluated, once per fault.
    static func write(_ faults: [String: PromQLError], since before: [String: PromQLError], to logger: Logger) {
        for (rule, fault) in faults where before[rule] != fault {
            logger.error("alert rule not evaluated", metadata: ["rule": .string(rule), "reason": .string("\(fault)")])
        }
    }
}
