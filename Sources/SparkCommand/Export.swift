import ArgumentParser
import Spark
import SparkMetrics
import SparkServer
import SparkTransport

/// Prints files for other programs that run and monitor the server, generated from the modules' declarations.
struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print files for Prometheus, Grafana, systemd and Docker.",
        subcommands: [
            ExportDashboard.self, ExportRules.self, ExportScrape.self, ExportUnit.self, ExportDockerfile.self,
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

    func run() async throws {
        Terminal.show("# Made by spark export prometheus-rules.\n" + AlertRuleFile.write(DefaultRules.groups))
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
            let edge: EdgeConfiguration = configuration.section("http")
            let operators: OperatorConfiguration = configuration.section("operator")
            let metrics: MetricsConfiguration = configuration.section("metrics")
            let address = operators.address.map { "\($0.host.contains(":") ? "[\($0.host)]" : $0.host):\($0.port)" }
            Terminal.show(PrometheusScrape.text(target: target ?? address ?? edge.listen, isToken: metrics.hasToken))
        }
    }
}
