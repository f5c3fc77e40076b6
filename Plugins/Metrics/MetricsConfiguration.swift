public import SparkKit

/// The section `metrics`.
public struct MetricsConfiguration: ModuleConfiguration {
    public static let settings: [Setting] =
        [
            .text(
                "token", default: "",
                "Lets other machines read /metrics and /_/metrics: as bearer token or as password. Without it, only this one may.",
                isSecret: true),
            .text(
                "certificate_file", default: "",
                "A PEM file with the certificate that clients see, whose end is then among the metrics."),
        ] + AlertSettings.settings

    let token: String
    let certificateFile: String
    let alerts: AlertSettings

    public init(_ values: SettingValues) {
        token = values.text("token")
        certificateFile = values.text("certificate_file")
        alerts = AlertSettings(values)
    }
}
