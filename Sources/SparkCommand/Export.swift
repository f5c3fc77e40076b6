import ArgumentParser
import Spark
import SparkHTTP
import SparkMetrics
import SparkServer

/// Prints files for other programs that run and monitor the server, generated from the modules' declarations.
struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print or write files for Prometheus, Grafana, systemd, Docker, proxies, man, shells and clients.",
        subcommands: [
            ExportDashboard.self, ExportRules.self, ExportScrape.self, ExportUnit.self, ExportSocket.self,
            ExportDockerfile.self, ExportNginx.self, ExportCaddy.self, ExportManual.self, ExportCompletions.self,
            ExportClient.self,
        ])
}

struct ExportDashboard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grafana-dashboard", abstract: "A Grafana dashboard with every metric that the modules declare.")

    func run() async throws {
        Terminal.say(json: GrafanaDashboard(Self.groups).json)
    }

    /// The server's own metrics, then those of the modules.
    static var groups: [MetricGroup] { MetricGroup.all(KernelManifests.all + sparkModules.map { $0.manifest }) }
}

struct ExportRules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prometheus-rules",
        abstract: "The built-in alert rules as a Prometheus rule file.",
        discussion: "The server itself evaluates the same rules; metrics.rules_file names a file that replaces them.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await reporting {
            let metrics: MetricsConfiguration = try common.load(isForRunning: true).section("metrics")
            Terminal.show("# Made by spark export prometheus-rules.\n" + AlertRuleFile.write(metrics.builtInRules))
        }
    }
}

struct ExportScrape: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prometheus-scrape", abstract: "A Prometheus configuration that scrapes this server.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Host and port that Prometheus scrapes; by default the operators' listener.")
    var target: String?

    func run() async throws {
        try await reporting {
            let configuration = try common.load()
            let metrics: MetricsConfiguration = configuration.section("metrics")
            let address = try target ?? Self.target(configuration, isToken: metrics.hasToken)
            let operators: OperatorConfiguration = configuration.section("operator")
            let tls: TLSSettings = configuration.section("tls")
            // The operators' listener is plain, another target is the public one.
            Terminal.show(
                PrometheusScrape.text(
                    target: address, isToken: metrics.hasToken, isSecure: tls.isOn && (target != nil || operators.listen.isEmpty))
            )
        }
    }

    /// The address at which this machine reaches the metrics.
    private static func target(_ configuration: LoadedConfiguration, isToken: Bool) throws -> String {
        let operators: OperatorConfiguration = configuration.section("operator")
        let edge: EdgeConfiguration = configuration.section("http")
        let key = operators.listen.isEmpty ? "http.listen" : "operator.listen"
        guard let address = ListenAddress(operators.listen.isEmpty ? edge.listen : operators.listen) else {
            throw ConfigurationError(faults: ["\(key): \(ListenAddress.expectation)"])
        }
        guard isToken || !operators.listen.isEmpty else {
            throw ConfigurationError(faults: [
                "operator.listen: without it and without metrics.token nobody can read the metrics; set one of them"
            ])
        }
        guard address.port != 0 else {
            throw ConfigurationError(faults: ["\(key): the system picks the port; name host and port with --target"])
        }
        // Every address of a machine is no address that can be asked.
        return address.reachable.text
    }
}
