import SparkFiles
import SparkKit

/// The settings for alerts in the section `metrics`.
struct AlertSettings: Sendable {
    static let settings: [Setting] = [
        .file(
            "rules_file", atMost: AlertRuleFile.sizeLimit,
            "A Prometheus rule file that replaces the built-in rules; spark export prometheus-rules writes those."),
        .text(
            "alert_webhook_url", default: "",
            "Address that gets every alert that fires or is resolved, by POST in the format of Alertmanager's webhooks.",
            isSecret: true,
            fault: { $0.isEmpty ? nil : WebAddress.fault($0) }),
    ]

    private let rulesFile: String
    private let webhookURL: String

    init(_ values: SettingValues) {
        self.rulesFile = values.text("rules_file")
        self.webhookURL = values.text("alert_webhook_url")
    }

    /// Without its rules a server does not alert, so a file that is missing or has a fault is refused.
    static func faultsOfFiles(of values: SettingValues) -> [SettingFault] {
        do throws(AlertRuleError) {
            _ = try AlertSettings(values).groups()
            return []
        } catch {
            return [SettingFault("rules_file", reason: "\(error)")]
        }
    }

    /// The built-in rules, or those of the rule file. Reads the file, so it must not run on the cooperative pool.
    /// - Throws: `AlertRuleError`, which names the file and the rule.
    func groups() throws(AlertRuleError) -> [AlertRuleGroup] {
        if rulesFile.isEmpty { return DefaultRules.groups }
        let bytes: [UInt8]
        do throws(NamedFile.Refusal) {
            bytes = try NamedFile.contents(of: rulesFile, atMost: AlertRuleFile.sizeLimit)
        } catch {
            throw AlertRuleError(place: rulesFile, reason: "\(error)")
        }
        do {
            return try AlertRuleFile.read(String(decoding: bytes, as: UTF8.self))
        } catch {
            throw AlertRuleError(place: "\(rulesFile): \(error.place)", reason: error.reason)
        }
    }

    /// The webhook's URL, `http` or `https`; nil when none is set.
    /// - Throws: `AlertRuleError` for an invalid URL. The error does not repeat it: it may contain a secret.
    func webhookAddress() throws(AlertRuleError) -> String? {
        if webhookURL.isEmpty { return nil }
        if let fault = WebAddress.fault(webhookURL) { throw AlertRuleError(place: "metrics.alert_webhook_url", reason: fault) }
        return webhookURL
    }
}
