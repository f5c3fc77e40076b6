public import SparkKit

/// The configuration section `metrics`.
public struct MetricsConfiguration: ModuleConfiguration {
    /// The settings of the section, with their defaults and bounds.
    public static let settings: [Setting] =
        [
            .text(
                "token", default: "",
                "Opens /metrics and /_/ on the public listener, as bearer token or as password; without it they are only at operator.listen.",
                isSecret: true,
                fault: { !$0.isEmpty && $0.allSatisfy(\.isWhitespace) ? "a token of spaces protects nothing" : nil }),
            .file(
                "certificate_file", atMost: CertificateExpiry.longestFile,
                "A PEM file with the certificate that clients see; its expiry becomes a metric."),
            ServiceLevelReport.setting,
        ] + AlertSettings.settings

    let token: String
    let certificateFile: String
    let availabilityTarget: Double
    let alerts: AlertSettings

    /// Whether remote readers of the metrics need a token.
    package var hasToken: Bool { !token.isEmpty }

    /// The built-in rules, with the address of the runbook if it is published.
    package var builtInRules: [AlertRuleGroup] { alerts.addressed(DefaultRules.groups) }

    /// What an operator should know about the rules of the rule file, one line each. Reads the file.
    package func notesOfRules(knowing groups: [MetricGroup]) -> [String] { alerts.notes(knowing: groups.flatMap(\.metrics)) }

    /// The rules of the rule file.
    public static func faultsOfFiles(of values: SettingValues) -> [SettingFault] { AlertSettings.faultsOfFiles(of: values) }

    /// Reads the section from validated values.
    public init(_ values: SettingValues) {
        token = values.text("token")
        certificateFile = values.text("certificate_file")
        availabilityTarget = values.number(ServiceLevelReport.setting.key)
        alerts = AlertSettings(values)
    }
}
