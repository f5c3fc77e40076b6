import ArgumentParser
import Foundation
import Glibc
import Logging
import Spark
import SparkFiles
import SparkFixture

/// The flags of every verb that uses a server's configuration or data.
struct CommonOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "Configuration file; by default that of SPARK_CONFIG, ./spark.yaml, or the package's /etc/spark/spark.yaml.")
    var config: String?

    @Option(name: .long, help: "Data directory.")
    var data: String?

    @Option(name: .customLong("set"), help: "A setting: section.key=value. May be repeated.")
    var settings: [String] = []

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    /// The longest port file, in bytes.
    private static let longestPortFile = 65_536

    /// Loads the configuration and checks everything that can be judged without opening the data. Precedence: flag, environment,
    /// file, default.
    /// - Parameters:
    ///   - own: settings for which the verb has its own flags.
    ///   - isEphemeral: whether the settings are for a server that keeps nothing.
    ///   - isForRunning: whether the verb only asks a running server, which has its own machine, files and limits.
    ///   - mayUsePackage: false for a verb that makes a data directory: it never works on the package's without being told to.
    ///   - staysRoot: whether a process of root stays root although the data directory belongs to another user.
    func load(
        further: [String] = [], own: [SettingFlag] = [], isEphemeral: Bool = false, isForRunning: Bool = false,
        mayUsePackage: Bool = true, staysRoot: Bool = false
    ) throws -> LoadedConfiguration {
        // Files that a verb creates are accessible only to its user.
        umask(0o077)
        let path = configurationFile(mayUsePackage: mayUsePackage)
        let file = try path.map { (path: $0, text: try SettingsFile.text(of: $0)) }
        func read(_ surroundings: ConfigurationSurroundings?) throws -> LoadedConfiguration {
            try LoadedConfiguration(
                schema: ConfigurationSchema(modules: sparkModules),
                flags: settings + further, ownFlags: own + (data.map { [SettingFlag("--data", "server.data=\($0)")] } ?? []),
                environment: ProcessInfo.processInfo.environment, file: file, surroundings: surroundings)
        }
        // Before a file is judged or opened: it must be the server's user who may read it. What is wrong is found below.
        if geteuid() == 0, !isEphemeral, !staysRoot, let known = try? read(nil) {
            let process: ServerConfiguration = known.section("server")
            try DataOwner.become(ownerOf: process.dataDirectory)
        }
        return try read(isForRunning ? nil : Self.surroundings(isEphemeral: isEphemeral))
    }

    /// This machine, with as many descriptors as the process may have.
    static func surroundings(isEphemeral: Bool = false) -> ConfigurationSurroundings {
        OpenFiles.raiseLimit()
        return ConfigurationSurroundings(machine: .current(), isEphemeral: isEphemeral)
    }

    /// The configuration file; nil when none is named and none is in its place.
    func configurationFile(mayUsePackage: Bool = true) -> String? {
        SettingsFile.path(named: config, mayUsePackage: mayUsePackage)
    }

    /// The URL of the running server of the data directory.
    func addressOfRunningServer() throws -> String {
        let (path, file) = try portFile()
        guard let url = file?["url"]?.string else {
            throw NoServer(
                hint:
                    "no server runs on the data directory \(path); start one with spark serve, or name another with --data or --url"
                    + (data == nil && SettingsFile.isHidden(named: config)
                        ? "; only root and the server's user may read \(SettingsFile.ofPackage)" : ""))
        }
        return url
    }

    /// The URL of the running server's operator routes, and the token for them.
    func operatorsOfRunningServer() throws -> (url: String, token: String?) {
        let address = try addressOfRunningServer()
        let file = try portFile().content
        if let url = file?["operator_url"]?.string { return (url, nil) }
        if let token = file?["admin_token"]?.string { return (address, token) }
        guard case .text(let token) = try load(isForRunning: true).value("metrics", "token"), !token.isEmpty else {
            return (address, nil)
        }
        return (address, token)
    }

    /// What the running server of the data directory wrote about itself; nil if there is none.
    func portFile() throws -> (path: String, content: JSONValue?) {
        let process: ServerConfiguration = try load(isForRunning: true).section("server")
        let path = "\(process.dataDirectory)/spark.port.json"
        let content = try? JSONParser.parse(NamedFile.contents(of: path, atMost: Self.longestPortFile))
        return (process.dataDirectory, content)
    }

    /// Opens a server on an existing data directory, without a socket, beside one that may be running.
    func openServer(_ configuration: LoadedConfiguration) throws -> Server {
        let process: ServerConfiguration = configuration.section("server")
        try DataAccess.check(process.dataDirectory)
        var options = Server.Options(
            modules: sparkModules, configuration: configuration,
            directory: try DataDirectory(path: process.dataDirectory, mayShare: true), logger: CommandLogger.make(configuration))
        options.archive = .continues
        return try Server(options)
    }

    /// The same, read-only: does not change the directory.
    /// - Returns: a nil server with a description of the loss when the directory was in use and no longer has a database.
    func openServerForInspection(_ configuration: LoadedConfiguration) throws -> (server: Server?, loss: String?) {
        let process: ServerConfiguration = configuration.section("server")
        let directory = try DataDirectory(inspecting: process.dataDirectory)
        do {
            if let loss = try directory.findDatabase() {
                directory.release()
                return (nil, loss)
            }
        } catch {
            directory.release()
            throw error
        }
        do {
            let server = try Server(
                Server.Options(
                    modules: sparkModules, configuration: configuration, directory: directory,
                    logger: CommandLogger.make(configuration)))
            return (server, nil)
        } catch let error as StorageOpenError {
            defer { directory.release() }
            let faults = directory.damage(after: error)
            throw faults.isEmpty ? error : UnreadableDatabase(faults: faults)
        }
    }
}

/// No server answers at the expected address.
struct NoServer: Error {
    let hint: String
}

/// The database exists but cannot be opened.
struct UnreadableDatabase: Error {
    let faults: [String]
}

/// The exit codes (sysexits.h).
enum ExitCodes {
    static let faultsFound = ExitCode(1)
    static let usage = ExitCode(64)
    static let dataError = ExitCode(65)
    static let noUser = ExitCode(67)
    static let unavailable = ExitCode(69)
    static let software = ExitCode(70)
    static let cannotOpen = ExitCode(73)
    /// The disk failed; a restart may help.
    static let ioError = ExitCode(74)
    static let noPermission = ExitCode(77)
    static let configuration = ExitCode(78)
    /// Of `spark exec`, as of a shell: the command cannot be run.
    static let notRunnable = ExitCode(126)
    /// Of `spark exec`, as of a shell: there is no such command.
    static let notFound = ExitCode(127)

    /// Every code, or several with one meaning, as the manual lists them.
    static let meanings: [(code: String, meaning: String)] = [
        ("0", "done"), ("1", "faults found"), ("64", "wrong arguments, or not confirmed"),
        ("65", "refused, or a damaged backup"),
        ("67", "no such user"), ("69", "no server, or it is not ready"), ("70", "the server failed; its log says why"),
        (
            "73",
            "the data directory, an output file or the place of backups cannot be opened, or the address cannot be listened on"
        ),
        ("74", "the disk failed a write; start again"), ("77", "wrong user"), ("78", "wrong configuration"),
        (
            "126 · 127",
            "spark exec: the command cannot be run, or there is none; otherwise its own code, or 128 and its signal"
        ),
        ("129 · 130 · 143", "ended by SIGHUP, SIGINT or SIGTERM before it was done; spark serve ends with 0"),
    ]
}

/// Turns errors that an operator can fix into a line on standard error and an exit code.
func reporting<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as ConfigurationError {
        for fault in error.faults { Terminal.fail(fault) }
        throw ExitCodes.configuration
    } catch let error as PlanError {
        Terminal.fail("\(error)")
        throw ExitCodes.configuration
    } catch let error as ScenarioLoader.Refused {
        Terminal.fail(Display.text("\(error)"))
        throw ExitCodes.configuration
    } catch let error as NoServer {
        Terminal.fail(error.hint)
        throw ExitCodes.unavailable
    } catch let error as StorageOpenError {
        let isRight = error.hint.contains("(EACCES)") || access(error.path, R_OK | W_OK) != 0 && errno == EACCES
        let advice = isRight ? DataOwner.advice(on: error.path) : nil
        Terminal.fail("\(error)" + (advice.map { "; \($0)" } ?? ""))
        throw ExitCodes.cannotOpen
    } catch let error as StorageFailure {
        Terminal.fail("\(error)")
        throw ExitCodes.ioError
    } catch let error as ListenError {
        Terminal.fail("\(error)")
        throw ExitCodes.cannotOpen
    }
}
