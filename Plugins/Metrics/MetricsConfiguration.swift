public import SparkKit

/// The configuration section `metrics`.
public struct MetricsConfiguration: ModuleConfiguration {
    /// The settings of the section, with their defaults and bounds.
    public static let settings: [Setting] =
        [
            .text(
                "token", default: "",
                "Opens /metrics and /_/ on the public listener, as bearer token or as password; without it they are only at operator.listen.",
                isSecret: true),
            .text(
                "certificate_file", default: "",
                "A PEM file with the certificate that clients see; its expiry becomes a metric."),
        ] + AlertSettings.settings

    let token: String
    let certificateFile: String
    let alerts: AlertSettings

    /// Reads the section from validated values.
    public init(_ values: SettingValues) {
        token = values.text("token")
        certificateFile = values.text("certificate_file")
        alerts = AlertSettings(values)
    }
}
