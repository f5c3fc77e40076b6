import Foundation
import SparkKit

/// The settings for alerts in the section `metrics`.
struct AlertSettings: Sendable {
    static let settings: [Setting] = [
        .text(
            "rules_file", default: "",
            "A Prometheus rule file that replaces the built-in rules; spark export prometheus-rules writes those."),
        .text(
            "alert_webhook_url", default: "",
            "Address that gets every alert that fires or is resolved, by POST in the format of Alertmanager's webhooks.",
            isSecret: true),
    ]

    let rulesFile: String
    let webhookURL: String

    init(_ values: SettingValues) {
        self.rulesFile = values.text("rules_file")
        self.webhookURL = values.text("alert_webhook_url")
    }

    /// The built-in rules, or those of the rule file. Reads the file, so it must not run on the cooperative pool.
    /// - Throws: `AlertRuleError`, which names the file and the rule.
    func groups() throws(AlertRuleError) -> [AlertRuleGroup] {
        if rulesFile.isEmpty { return DefaultRules.groups }
        // Reads one byte more than the limit, so that a file that is too long is detected.
        guard let handle = FileHandle(forReadingAtPath: rulesFile),
            let data = try? handle.read(upToCount: AlertRuleFile.sizeLimit + 1)
        else { throw AlertRuleError(place: rulesFile, reason: "it cannot be read") }
        do {
            return try AlertRuleFile.read(String(decoding: data, as: UTF8.self))
        } catch {
            throw AlertRuleError(place: "\(rulesFile): \(error.place)", reason: error.reason)
        }
    }

    /// The webhook's URL, `http` or `https`; nil when none is set.
    /// - Throws: `AlertRuleError` for an invalid URL. The error does not repeat it: it may contain a secret.
    func webhookAddress() throws(AlertRuleError) -> String? {
        if webhookURL.isEmpty { return nil }
        guard let url = URL(string: webhookURL), ["http", "https"].contains(url.scheme?.lowercased()), url.host != nil else {
            throw AlertRuleError(place: "metrics.alert_webhook_url", reason: "it is not an http or https address")
        }
        return webhookURL
    }
}
