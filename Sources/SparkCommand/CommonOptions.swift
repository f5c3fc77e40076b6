import ArgumentParser
import Foundation
import Glibc
import Logging
import Spark
import SparkFiles

/// The flags of every verb that uses a server's configuration or data.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: "Configuration file; the default is ./spark.yaml if it exists.")
    var config: String?

    @Option(name: .long, help: "Data directory.")
    var data: String?

    @Option(name: .customLong("set"), help: "A setting: section.key=value. May be repeated.")
    var settings: [String] = []

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    /// The longest configuration file, in bytes.
    private static let longestFile = 1 << 20
    /// The longest port file, in bytes.
    private static let longestPortFile = 65_536

    /// Loads the configuration and checks everything that can be judged without opening the data. Precedence: flag, environment,
    /// file, default.
    /// - Parameters:
    ///   - own: settings for which the verb has its own flags.
    ///   - isEphemeral: whether the settings are for a server that keeps nothing.
    ///   - isForRunning: whether the verb only asks a running server, which has its own machine, files and limits.
    func load(
        further: [String] = [], own: [SettingFlag] = [], isEphemeral: Bool = false, isForRunning: Bool = false
    ) throws -> LoadedConfiguration {
        // Files that a verb creates are accessible only to its user.
        umask(0o077)
        return try LoadedConfiguration(
            schema: ConfigurationSchema(modules: sparkModules),
            flags: settings + further, ownFlags: own + (data.map { [SettingFlag("--data", "server.data=\($0)")] } ?? []),
            environment: ProcessInfo.processInfo.environment, file: try file(),
            surroundings: isForRunning ? nil : Self.surroundings(isEphemeral: isEphemeral))
    }

    /// This machine, with as many descriptors as the process may have.
    static func surroundings(isEphemeral: Bool = false) -> ConfigurationSurroundings {
        OpenFiles.raiseLimit()
        return ConfigurationSurroundings(machine: .current(), isEphemeral: isEphemeral)
    }

    /// The configuration file; nil when none is named and the default does not exist.
    var configurationFile: String? {
        let path = config ?? "spark.yaml"
        return config == nil && !FileManager.default.fileExists(atPath: path) ? nil : path
    }

    private func file() throws -> (path: String, text: String)? {
        guard let path = configurationFile else { return nil }
        let bytes: [UInt8]
        do throws(NamedFile.Refusal) {
            bytes = try NamedFile.contents(of: path, atMost: Self.longestFile)
        } catch {
            throw StorageOpenError(
                operation: "read configuration", path: Display.text(String(path.prefix(256))), hint: "\(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let line = Self.lineOfBrokenText(Data(bytes))
            throw ConfigurationError(faults: ["\(path):\(line): the line is not UTF-8 text"])
        }
        return (path, text)
    }

    private static func lineOfBrokenText(_ bytes: Data) -> Int {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        return (lines.firstIndex { String(data: $0, encoding: .utf8) == nil } ?? 0) + 1
    }

    /// The URL of the running server of the data directory.
    func addressOfRunningServer() throws -> String {
        let (path, file) = try portFile()
        guard let url = file?["url"]?.string else {
            throw NoServer(
                hint:
                    "no server runs on the data directory \(path); start one with spark serve, or name another with --data or --url"
            )
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

    private func portFile() throws -> (path: String, content: JSONValue?) {
        let process: ServerConfiguration = try load(isForRunning: true).section("server")
        let path = "\(process.dataDirectory)/spark.port.json"
        let content = try? JSONParser.parse(NamedFile.contents(of: path, atMost: Self.longestPortFile))
        return (process.dataDirectory, content)
    }

    /// Opens a server on an existing data directory, without a socket, beside one that may be running.
    func openServer(_ configuration: LoadedConfiguration) throws -> Server {
        let process: ServerConfiguration = configuration.section("server")
        try DataAccess.check(process.dataDirectory)
        return try Server(
            Server.Options(
                modules: sparkModules, configuration: configuration,
                directory: try DataDirectory(path: process.dataDirectory, mayShare: true),
                logger: CommandLogger.make(configuration)))
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

/// Logs to standard error, one line per entry.
enum CommandLogger {
    /// - Parameter level: the minimum level, unless the level was set for this run.
    static func make(_ configuration: LoadedConfiguration, atLeast level: Logger.Level = .trace) -> Logger {
        let process: ServerConfiguration = configuration.section("server")
        var logger = make(process.logLevel, format: process.logFormat)
        if configuration.origins["server.log_level"] == nil { logger.logLevel = max(logger.logLevel, level) }
        return logger
    }

    static func make(_ level: String, format: String = "text") -> Logger {
        var logger = Logger(label: "spark") { _ in
            LineLogHandler(format: LineLogHandler.Format(rawValue: format) ?? .text, output: .standardError)
        }
        logger.logLevel = Logger.Level(rawValue: level) ?? .info
        return logger
    }

    /// For large volumes: a separate thread writes the log, so that no request waits for a slow reader.
    static func makeBuffered(_ configuration: LoadedConfiguration) -> Logger {
        let process: ServerConfiguration = configuration.section("server")
        return Logger(label: "spark") { _ in
            LineLogHandler(
                format: LineLogHandler.Format(rawValue: process.logFormat) ?? .text, output: .standardError, isBuffered: true)
        }
    }
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
}

/// Turns errors that an operator can fix into a line on standard error and an exit code.
func reporting<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as ConfigurationError {
        Terminal.fail("\(error)")
        throw ExitCodes.configuration
    } catch let error as PlanError {
        Terminal.fail("\(error)")
        throw ExitCodes.configuration
    } catch let error as NoServer {
        Terminal.fail(error.hint)
        throw ExitCodes.unavailable
    } catch let error as StorageOpenError {
        Terminal.fail("\(error)")
        throw ExitCodes.cannotOpen
    } catch let error as StorageFailure {
        Terminal.fail("\(error)")
        throw ExitCodes.ioError
    } catch let error as ListenError {
        Terminal.fail("\(error)")
        throw ExitCodes.cannotOpen
    }
}
