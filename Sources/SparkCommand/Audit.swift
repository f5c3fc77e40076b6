import ArgumentParser
import Spark
import SparkAudit
import SparkClient
import SparkProfiles

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Attack a server as others would, and measure what they learn.", subcommands: [AuditLocation.self])
}

struct AuditLocation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "location", abstract: "Try to find out where people are.",
        discussion: """
            Synthetic victims and attackers meet over the public API: trilateration, walking until somebody leaves the deck, halving \
            filters, the order of the deck, watching for a while. Prints how near each attack came, in metres, beside the floor: \
            profiles.audit_floor_metres, by default half the cell at whose centre somebody is published.
            Without --server a server of its own is attacked, on which nobody's moves are limited. With --server the accounts are \
            registered there and closed at the end; with the usual limits of a server it takes hours.
            Exit code 0 when every attack stays above the floor, 1 when one does not, 69 when the server cannot be audited.
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "The address of a running server whose configuration is the one given here.")
    var server: String?

    @Option(name: .long, help: "Seed of places, directions and noise.")
    var seed: UInt64 = 1

    @Option(name: .long, help: "full, or smoke for some seconds.")
    var size = "full"

    func validate() throws {
        guard ["full", "smoke"].contains(size) else { throw ValidationError("--size must be smoke or full") }
    }

    func run() async throws {
        let report = try await reporting {
            let configuration = try common.load()
            if let server { return try await audit(server, configuration) }
            return try await auditOwnServer(configuration)
        }
        if common.json { Terminal.say(json: report) } else { for line in report.lines { Terminal.say(line) } }
        if !report.holds { throw ExitCodes.faultsFound }
    }

    private func auditOwnServer(_ configuration: LoadedConfiguration) async throws -> LocationReport {
        let unlimited = [
            "http.listen=127.0.0.1:0", "profiles.location_changes_per_hour=10000", "profiles.max_speed_kmh=0",
        ]
        var options = Server.Options(
            modules: sparkModules, configuration: try common.load(further: unlimited), directory: try DataDirectory.temporary(),
            logger: CommandLogger.make("warning"))
        options.isEphemeral = true
        let instance = try await Spark.start(Server(options))
        do {
            let report = try await audit(instance.listening.url, configuration)
            try await instance.stop()
            return report
        } catch {
            try? await instance.stop()
            throw error
        }
    }

    private func audit(_ url: String, _ configuration: LoadedConfiguration) async throws -> LocationReport {
        // Asked once with little patience: the audit itself waits long for a server that is busy.
        guard (try? await SparkClient(url: url, timeout: .seconds(3)).send("GET", "/readyz", body: nil))?.status == 200 else {
            Terminal.fail("\(url) is not ready")
            throw ExitCodes.unavailable
        }
        let profiles: ProfilesConfiguration = configuration.section("profiles")
        let ground = AuditGround(
            cellMetres: profiles.cellMetres, hiddenCellMetres: profiles.hiddenCellMetres, floorMetres: profiles.auditFloorMetres)
        let audit = LocationAudit(
            client: SparkClient(url: url, timeout: .minutes(2)), ground: ground, size: size == "smoke" ? .smoke : .full,
            seed: seed)
        let bar = ProgressBar(total: 1_000)
        do {
            return try await audit.run { done, total in bar.show("attacking", done * 1_000 / total) }
        } catch let error as AuditError {
            Terminal.fail("\(url): \(error)")
            throw ExitCodes.unavailable
        } catch {
            Terminal.fail("\(url) cannot be audited: \(error)")
            throw ExitCodes.unavailable
        }
    }
}
