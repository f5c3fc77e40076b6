import SparkCore
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
        .text(
            "runbook_url", default: "",
            "Where the page docs/operating/runbook.md is published: alerts then carry runbook_url, which leads to their section.",
            fault: { $0.isEmpty ? nil : WebAddress.fault($0) }),
    ]

    private let rulesFile: String
    private let webhookURL: String
    private let runbookURL: String

    init(_ values: SettingValues) {
        self.rulesFile = values.text("rules_file")
        self.webhookURL = values.text("alert_webhook_url")
        self.runbookURL = values.text("runbook_url")
    }

    /// Without its rules a server does not alert, so a file that is missing or has a fault is refused.
    static func faultsOfFiles(of values: SettingValues) -> [SettingFault] {
        do throws(AlertRuleError) {
            _ = try AlertSettings(values).groups()
            return []
        } catch {
            return [SettingFault(keys: ["rules_file"], reason: "\(error)", lines: error.lines)]
        }
    }

    /// The built-in rules, or those of the rule file. Reads the file, so it must not run on the cooperative pool.
    /// - Throws: `AlertRuleError`, which names the file and the rule.
    func groups() throws(AlertRuleError) -> [AlertRuleGroup] {
        if rulesFile.isEmpty { return addressed(DefaultRules.groups) }
        let bytes: [UInt8]
        do throws(NamedFile.Refusal) {
            bytes = try NamedFile.contents(of: rulesFile, atMost: AlertRuleFile.sizeLimit)
        } catch {
            throw AlertRuleError(place: NamedFile.absolute(rulesFile), reason: "\(error)")
        }
        do {
            return addressed(try AlertRuleFile.read(String(decoding: bytes, as: UTF8.self)))
        } catch {
            throw AlertRuleError(
                place: "\(NamedFile.absolute(rulesFile)): \(error.place)", reason: error.reason, lines: error.lines)
        }
    }

    /// The rules with the annotation `runbook_url`, if the runbook is published and they name a section of it.
    func addressed(_ groups: [AlertRuleGroup]) -> [AlertRuleGroup] {
        guard !runbookURL.isEmpty else { return groups }
        return groups.map { group in
            AlertRuleGroup(
                name: group.name,
                rules: group.rules.map { rule in
                    guard let section = rule.annotations["runbook"]?.text.drop(while: { $0 != "#" }), !section.isEmpty,
                        rule.annotations["runbook_url"] == nil, let address = AlertTemplate(runbookURL + section)
                    else { return rule }
                    return rule.annotated("runbook_url", address)
                })
        }
    }

    /// The metrics that rules of the rule file ask for and nobody declares: one note for each rule.
    /// - Parameter metrics: every metric of the server.
    func notes(knowing metrics: [MetricDeclaration]) -> [String] {
        guard !rulesFile.isEmpty, let groups = try? groups() else { return [] }
        // Prometheus makes these.
        var known: Set<String> = ["up", "ALERTS", "ALERTS_FOR_STATE"]
        for metric in metrics {
            known.insert(metric.name)
            if metric.kind == .histogram { known.formUnion(["_bucket", "_sum", "_count"].map { metric.name + $0 }) }
        }
        return groups.flatMap(\.rules).compactMap { rule in
            let unknown = rule.expression.names.subtracting(known).sorted()
            guard !unknown.isEmpty else { return nil }
            let names = unknown.map { name in
                NearestName.of(name, in: known.sorted()).map { "\(name) (did you mean \($0)?)" } ?? name
            }
            return "metrics.rules_file: the alert \(rule.name) asks for what this server does not measure: "
                + names.joined(separator: ", ")
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
