import Metrics
public import SparkKit
import SparkTelemetry

/// Publishes the server's metrics: for Prometheus, as a history with alerts, and on a page for operators.
public struct MetricsModule: SparkModule {
    /// What the module declares before it starts.
    public static let manifest = ModuleManifest(
        id: "metrics", summary: "The server's metrics: for Prometheus, as a history and as a page",
        metrics: CertificateExpiry.declarations + ServiceLevelReport.declarations)

    private let configuration: MetricsConfiguration
    private let context: ModuleContext
    private let history: History
    private let alerts: AlertService

    /// Builds the history and the alerts from the configuration and the server's context.
    public init(configuration: MetricsConfiguration, context: ModuleContext) throws {
        self.configuration = configuration
        self.context = context
        let history = History(
            registry: .shared, directory: context.isEphemeral ? nil : context.directory, clock: context.clock,
            logger: context.logger)
        self.history = history
        self.alerts = AlertService(
            source: history, settings: configuration.alerts, clock: context.clock, logger: context.logger,
            fixture: context.fixture)
    }

    /// Registers the module's routes and background services.
    public func register(in registrar: inout ModuleRegistrar) {
        for route in MetricsRoutes(registry: .shared).all { registrar.operatorRoute(route) }
        let charts = ChartDocument(history: history, clock: context.clock)
        for route in PageRoutes(charts: charts, alerts: alerts).all { registrar.operatorRoute(route) }
        registrar.timed(history.work)
        registrar.timed(
            ServiceLevelReport(source: history, clock: context.clock, target: configuration.availabilityTarget).work)
        alerts.register(in: &registrar)
        if !configuration.certificateFile.isEmpty {
            registrar.timed(CertificateExpiry(file: configuration.certificateFile, logger: context.logger).work)
        }
    }
}
