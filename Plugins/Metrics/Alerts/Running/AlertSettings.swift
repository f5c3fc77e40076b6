import Foundation
import SparkKit

/// The settings of the section `metrics` that alerts have.
struct AlertSettings: Sendable {
    static let settings: [Setting] = [
        .text(
            "rules_file", default: "",
            "A rule file of Prometheus to alert by instead of the built-in rules; spark export prometheus-rules writes those."),
        .text(
            "alert_webhook_url", default: "",
            "Told of every alert that fires or is resolved, by POST in the form of Alertmanager's webhooks.", isSecret: true),
    ]

    let rulesFile: String
    let webhookURL: String

    init(_ values: SettingValues) {
        self.rulesFile = values.text("rules_file")
        self.webhookURL = values.text("alert_webhook_url")
    }

    /// The built-in rules, or those of the file. Reads the file, so not for the cooperative pool.
    /// - Throws: `AlertRuleError`, which names file and rule.
    func groups() throws(AlertRuleError) -> [AlertRuleGroup] {
        if rulesFile.isEmpty { return DefaultRules.groups }
        // One byte more than may be is read, so that a file too long is seen as such.
        guard let handle = FileHandle(forReadingAtPath: rulesFile),
            let data = try? handle.read(upToCount: AlertRuleFile.sizeLimit + 1)
        else { throw AlertRuleError(place: rulesFile, reason: "it cannot be read") }
        do {
            return try AlertRuleFile.read(String(decoding: data, as: UTF8.self))
        } catch {
            throw AlertRuleError(place: "\(rulesFile): \(error.place)", reason: error.reason)
        }
    }

    /// Nil when none is set. Only `http` and `https`.
    /// - Throws: `AlertRuleError` for what is no such address; does not repeat it, for it may hold a secret.
    func webhookAddress() throws(AlertRuleError) -> String? {
        if webhookURL.isEmpty { return nil }
        guard let url = URL(string: webhookURL), ["http", "https"].contains(url.scheme?.lowercased()), url.host != nil else {
            throw AlertRuleError(place: "metrics.alert_webhook_url", reason: "it is no http or https address")
        }
        return webhookURL
    }
}
