import ArgumentParser
import Foundation
import Glibc
import Logging
import Spark
import SparkFiles
import SparkFixture
import SparkHTTP
import SparkServer

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve the API until SIGTERM, SIGINT or SIGHUP.",
        discussion: """
            Prints one line when ready: a banner on a terminal, otherwise {"event":"ready","url":…,"pid":…}.
            With --ephemeral everything is temporary and removed at the end, password hashing is cheap and rate limits are high; \
            metrics and console are on the same port; the line's admin_token is the bearer token for them and for /__test__/.
            """)

    /// The sockets that a service manager passed to the process.
    static let sockets = ActivatedSockets.take()

    @OptionGroup var common: CommonOptions

    @Option(
        name: .long,
        help:
            "ADDRESS:PORT, or a port alone for 127.0.0.1; e.g. 0.0.0.0:7775 for the whole network, 0 for a port that the system picks."
    )
    var listen: String?

    @Option(name: .long, help: "Another port on the configured address.")
    var port: UInt16?

    @Flag(name: .long, help: "Keep everything in a temporary directory that goes away.")
    var ephemeral = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "With --ephemeral: the people to begin with, a name or a file: \(Scenario.names.joined(separator: ", ")).",
            valueName: "name-or-file"))
    var scenario: String?

    /// The folder that another server prepared for this clone of it.
    @Option(name: .long, help: .hidden)
    var state: String?

    @Flag(
        name: .long,
        help: "The database is a copy, such as a disk image: devices start over. Other copies are recognized without this.")
    var newEpoch = false

    @Flag(
        name: .long, help: "The database is gone although the directory was in use: move the rest aside and start without people."
    )
    var beginAnew = false

    @Flag(
        name: .long,
        help: "The server's key is gone although the directory was in use: make a new one; everybody must sign in again.")
    var newKey = false

    @Flag(name: .long, help: "Stop when the parent process ends.")
    var exitWithParent = false

    @Flag(name: .long, help: "Echo WebSocket messages on /api/v1/ws/echo to any client; for conformance suites.")
    var wsEcho = false

    func validate() throws {
        if listen != nil, port != nil { throw ValidationError("--listen names a port already; leave out --port.") }
        if ephemeral, common.data != nil {
            throw ValidationError("--ephemeral keeps nothing, so --data would have no effect; leave out one of them.")
        }
        if scenario != nil || state != nil, !ephemeral {
            throw ValidationError("--scenario is for a server that keeps nothing; add --ephemeral.")
        }
        if let scenario { try ScenarioChoice.validate(scenario) }
    }

    func run() async throws {
        // A reader of the ready line may go away; the server does not depend on it.
        signal(SIGPIPE, SIG_IGN)
        let stop = StopSignals.shared
        if exitWithParent { ParentWatch.start { stop.request() } }
        try await reporting {
            let configuration = try common.load(
                further: wsEcho ? ["http.ws_echo=true"] : [], own: try flags(), isEphemeral: ephemeral, mayUsePackage: false)
            for note in configuration.notes(in: CommonOptions.surroundings(isEphemeral: ephemeral)) { Terminal.note(note) }
            let process: ServerConfiguration = configuration.section("server")
            let edge: EdgeConfiguration = configuration.section("http")
            let scenario = try scenario.map(ScenarioChoice.read)
            let sockets = try Self.sockets.get()
            guard !stop.isRequested else { return }
            let directory =
                try ephemeral
                ? DataDirectory.temporary()
                : await OperatorLink.directory(process.dataDirectory, isSuccessor: !sockets.isEmpty)
            var options = Server.Options(
                modules: sparkModules, configuration: configuration, directory: directory,
                logger: CommandLogger.make(configuration, atLeast: ephemeral ? .warning : .trace))
            options.accessLogger = CommandLogger.makeBuffered(configuration)
            options.isEphemeral = ephemeral
            options.scenario = scenario.map { ScenarioLoader($0) }
            if ephemeral { options.cloning = CloneProcess(program: "/proc/self/exe", arguments: try cloneArguments()) }
            if let state { options.carried = try Self.takeOver(state, to: directory) }
            options.sockets = sockets
            if !ephemeral { options.drill = DrillProcess(program: "/proc/self/exe", arguments: try drillArguments()) }
            options.start.isNewHistory = newEpoch
            options.start.beginsAnew = beginAnew
            options.start.makesNewKey = newKey
            defer { CommandLogger.flush() }
            let diary = ServerDiary(
                logger: options.logger, directory: directory.url.path,
                settings: settingsFile.map { NamedFile.absolute($0) })
            do {
                // A migration may take minutes; it is safe to interrupt, but a temporary directory would stay.
                stop.setMayEndAtOnce(!ephemeral)
                let server = try await Server.launch(options)
                stop.setMayEndAtOnce(false)
                stop.onRequest { Task { await server.shutDown() } }
                try await server.run(handlesSignals: false) { listening in
                    diary.began(listening)
                    announce(listening)
                }
                diary.ended(stop)
            } catch let error as StorageFailure {
                throw error
            } catch {
                throw ListenError(error, address: edge.listen) ?? error
            }
        }
    }

    /// The flags of this verb as settings.
    private func flags() throws -> [SettingFlag] {
        var flags: [SettingFlag] = []
        if let listen { flags.append(SettingFlag("--listen", "http.listen=\(listen)")) }
        if let port {
            let edge: EdgeConfiguration = try common.load(isEphemeral: ephemeral, mayUsePackage: false).section("http")
            let host = edge.address?.host ?? "127.0.0.1"
            flags.append(SettingFlag("--port", "http.listen=\(ListenAddress(host: host, port: Int(port)).text)"))
        }
        return flags
    }

    private var settingsFile: String? { common.configurationFile(mayUsePackage: false) }

    /// The command line of a drill with the same settings. The program is this one, even if another version was installed meanwhile.
    private func drillArguments() throws -> [String] {
        let files = (settingsFile.map { ["--config", $0] } ?? []) + (common.data.map { ["--data", $0] } ?? [])
        let settings = try common.settings + flags().map(\.setting)
        return ["drill", "--exit-with-parent"] + files + settings.flatMap { ["--set", $0] }
    }

    /// The command line of a clone with the same settings, on a port of its own.
    private func cloneArguments() throws -> [String] {
        let files = common.config.map { ["--config", $0] } ?? []
        return ["serve", "--ephemeral", "--exit-with-parent", "--json", "--listen", "127.0.0.1:0"] + files
            + common.settings.flatMap { ["--set", $0] }
    }

    /// Moves what another server prepared to this one's directory.
    /// - Returns: what its modules hand over.
    private static func takeOver(_ folder: String, to directory: DataDirectory) throws -> JSONValue {
        do {
            try directory.takeOver(folder)
            return try JSONParser.parse(
                NamedFile.contents(of: "\(folder)/\(ClonedServer.carriedFile)", atMost: Self.longestState))
        } catch {
            directory.release()
            throw StorageOpenError(operation: "take over", path: folder, hint: "\(error)")
        }
    }

    /// The longest file of handed over states, in bytes.
    private static let longestState = 64 << 20

    private func announce(_ listening: Listening) {
        let text: String
        if Terminal.isInteractive, !common.json {
            text = """

                  ⚡ Spark \(SparkVersion.text)
                     API      \(listening.url)/api/v1
                     Docs     \(listening.url)/docs
                     Console  \(console(listening))
                     Data     \(listening.directory.path)\(ephemeral ? " (temporary)" : "")


                """
        } else {
            text = JSONWriter.string(of: ReadyLine(listening: listening)) + "\n"
        }
        // A server whose output nobody reads any more goes on.
        _ = Terminal.write(text, to: STDOUT_FILENO)
        SystemdNotification.send("READY=1")
    }

    private func console(_ listening: Listening) -> String {
        if let url = listening.operatorURL { return "\(url)/_/" }
        return listening.adminToken.map { "\(listening.url)/_/ with the bearer token \($0)" } ?? "off (operator.listen is empty)"
    }
}

/// The line that tells other programs that the server is ready.
private struct ReadyLine: JSONWritable {
    let listening: Listening

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("event", "ready")
            writer.field("url", listening.url)
            if let url = listening.operatorURL { writer.field("operator_url", url) }
            if let url = listening.redirectURL { writer.field("redirect_url", url) }
            if let token = listening.adminToken { writer.field("admin_token", token) }
            writer.field("pid", Int(getpid()))
            writer.field("data", listening.directory.path)
            writer.field("version", SparkVersion.text)
        }
    }
}
