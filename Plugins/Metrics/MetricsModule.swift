import Metrics
public import SparkKit
import SparkTelemetry

/// Shows what the server records: for Prometheus, over time, and to whoever opens the page.
public struct MetricsModule: SparkModule {
    public static let manifest = ModuleManifest(
        id: "metrics", summary: "What the server records: for Prometheus, over time and as a page",
        metrics: CertificateExpiry.declarations)

    private let configuration: MetricsConfiguration
    private let context: ModuleContext
    private let history: History
    private let alerts: AlertService

    public init(configuration: MetricsConfiguration, context: ModuleContext) throws {
        self.configuration = configuration
        self.context = context
        let history = History(
            registry: .shared, directory: context.isEphemeral ? nil : context.directory, clock: context.clock,
            logger: context.logger)
        self.history = history
        self.alerts = AlertService(
            source: history, settings: configuration.alerts, clock: context.clock, logger: context.logger)
    }

    public func register(in registrar: inout ModuleRegistrar) {
        for route in MetricsRoutes(registry: .shared).all { registrar.operatorRoute(route) }
        let charts = ChartDocument(history: history, clock: context.clock)
        for route in PageRoutes(charts: charts, alerts: alerts).all { registrar.operatorRoute(route) }
        registrar.service(history)
        registrar.prepare { [alerts] in try await alerts.prepare() }
        registrar.service(alerts)
        if !configuration.certificateFile.isEmpty {
            registrar.service(CertificateExpiry(file: configuration.certificateFile, logger: context.logger))
        }
    }
}
