import ArgumentParser
import Foundation
import Glibc
import Spark
import SparkAudit
import SparkClient
import SparkProfiles
import SparkServer
import Synchronization

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Attack a server as strangers would, and measure what they learn.",
        subcommands: [AuditLocation.self, AuditPrivacy.self])
}

struct AuditLocation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "location", abstract: "Try to find out where people are.",
        discussion: """
            Synthetic victims and attackers meet over the public API: trilateration, walking until somebody leaves the deck, halving \
            filters, the order of the deck, watching for a while. Prints how near each attack came, in metres, beside the floor: \
            profiles.audit_floor_metres, by default half the cell at whose centre somebody is published.
            Without --server it attacks a server of its own that does not limit moves. With --server it registers the accounts \
            there and deletes them at the end, also after Ctrl-C. The usual limits of a server stop the audit; it says \
            which ones to raise.
            Exit code 0 when every attack stays above the floor, 1 when one does not, 69 when the server cannot be audited.
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Address of a running server that has the configuration given here.")
    var server: String?

    @Option(name: .long, help: "Seed of places, directions and noise.")
    var seed: UInt64 = 1

    @Option(name: .long, help: "full, or smoke for a run of a few seconds.")
    var size = "full"

    func validate() throws {
        guard ["full", "smoke"].contains(size) else { throw ValidationError("--size must be smoke or full") }
    }

    func run() async throws {
        let report = try await reporting {
            let configuration = try common.load()
            if let server { return try await audit(server, configuration) }
            return try await common.withOwnServer([
                "profiles.location_changes_per_hour=10000", "profiles.max_speed_kmh=0",
            ]) { url, _ in try await audit(url, configuration) }
        }
        if common.json { Terminal.say(json: report) } else { for line in report.lines { Terminal.say(line) } }
        if !report.holds { throw ExitCodes.faultsFound }
    }

    private func audit(_ url: String, _ configuration: LoadedConfiguration) async throws -> LocationReport {
        try await AuditedServer.check(url)
        let profiles: ProfilesConfiguration = configuration.section("profiles")
        let ground = AuditGround(
            cellMetres: profiles.cellMetres, hiddenCellMetres: profiles.hiddenCellMetres, floorMetres: profiles.auditFloorMetres)
        let audit = LocationAudit(
            client: SparkClient(url: url, timeout: .minutes(2)), ground: ground, size: size == "smoke" ? .smoke : .full,
            seed: seed)
        let progress = AuditProgress("attacking")
        return try await AuditedServer.reporting(url) {
            try await audit.run(progress: { progress.show($0, of: $1) }, notice: { progress.note($0) })
        }
    }
}

struct AuditPrivacy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "privacy", abstract: "Try to find out what nobody may learn.",
        discussion: """
            Synthetic people meet in every relation: stranger, passed, blocked by either side, incognito, paused, gone, unmatched, \
            matched, matched before. In each relation a viewer asks everything that the server's OpenAPI document lists, and the \
            answers that must be alike are compared: status, body, headers, and presence in lists and counts.
            Without --server it asks a server of its own, also about suspended and erased people. With --server it registers the accounts \
            there and deletes them at the end, also after Ctrl-C; the usual limits of a server make it wait, so start the server with higher ones.
            Exit code 0 when nothing differs, 1 when something does, 69 when the server cannot be audited.
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "The address of a running server.")
    var server: String?

    func run() async throws {
        let report = try await reporting {
            if let server { return try await audit(server, powers: AuditPowers()) }
            return try await common.withOwnServer([
                "http.reads_per_minute=0", "http.writes_per_minute=0", "http.credentials_per_minute=0",
            ]) { url, server in
                func power(_ action: String) -> AuditPowers.Power {
                    { user in _ = try await server.operate(action, members: ["user": .string(user)], actor: "audit") }
                }
                return try await audit(url, powers: AuditPowers(suspend: power("user.suspend"), erase: power("user.erase")))
            }
        }
        if common.json { Terminal.say(json: report) } else { for line in report.lines { Terminal.say(line) } }
        if !report.holds { throw ExitCodes.faultsFound }
    }

    private func audit(
        _ url: String, powers: AuditPowers
    ) async throws -> PrivacyReport {
        try await AuditedServer.check(url)
        let audit = PrivacyAudit(client: SparkClient(url: url, timeout: .minutes(2)), powers: powers)
        let progress = AuditProgress("asking")
        return try await AuditedServer.reporting(url) {
            try await audit.run(progress: { progress.show($0, of: $1) }, notice: { progress.note($0) })
        }
    }
}

/// Shows the progress of an audit: a bar on a terminal, otherwise a line from time to time.
private final class AuditProgress: Sendable {
    private static let interval = Duration.seconds(10)

    private let label: String
    private let bar = ProgressBar(total: 1_000)
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let toldAt = Mutex<ContinuousClock.Instant?>(nil)

    init(_ label: String) { self.label = label }

    func show(_ done: Int, of total: Int) {
        guard total > 0 else { return }
        guard !isTerminal else { return bar.show(label, done * 1_000 / total) }
        let isDue = toldAt.withLock { toldAt in
            if let last = toldAt, last.duration(to: .now) < Self.interval { return false }
            toldAt = .now
            return true
        }
        if isDue { note("\(label): \(done) of \(total)") }
    }

    func note(_ text: String) {
        if isTerminal { Terminal.showError("\n") }
        Terminal.note(text)
    }
}

/// Checks that a server can be audited, and runs the audit.
private enum AuditedServer {
    static func check(_ url: String) async throws {
        // A single attempt with a short timeout; the audit itself waits long for a busy server.
        guard (try? await SparkClient(url: url, timeout: .seconds(3)).send("GET", "/readyz", body: nil))?.status == 200 else {
            Terminal.fail("\(url) is not ready")
            throw ExitCodes.unavailable
        }
    }

    static func reporting<Report: Sendable>(
        _ url: String, _ audit: @escaping @Sendable () async throws -> Report
    ) async throws -> Report {
        // An interrupt cancels the task, which then closes its accounts.
        let task = Task { try await audit() }
        StopSignals.shared.onRequest { task.cancel() }
        do {
            return try await task.value
        } catch  where task.isCancelled {
            Terminal.fail("the audit was interrupted")
            throw ExitCode(128 + (StopSignals.shared.signal ?? SIGINT))
        } catch let error as AuditError {
            Terminal.fail("\(url): \(error)")
            throw ExitCodes.unavailable
        } catch {
            Terminal.fail("\(url) cannot be audited: \(error)")
            throw ExitCodes.unavailable
        }
    }
}

extension CommonOptions {
    /// Starts an ephemeral server for an audit and stops it, also after an error.
    fileprivate func withOwnServer<Report>(
        _ settings: [String], _ audit: (String, Server) async throws -> Report
    ) async throws -> Report {
        var options = Server.Options(
            modules: sparkModules, configuration: try load(further: ["http.listen=127.0.0.1:0"] + settings, isEphemeral: true),
            directory: try DataDirectory.temporary(), logger: CommandLogger.make("warning"))
        options.isEphemeral = true
        options.hasFixture = false
        let instance = try await Spark.start(Server(options))
        do {
            let report = try await audit(instance.listening.url, instance.server)
            try await instance.stop()
            return report
        } catch {
            try? await instance.stop()
            throw error
        }
    }
}
