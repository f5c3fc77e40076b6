import ArgumentParser
import Foundation
import Glibc
import Logging
import Spark

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

    /// Loads the configuration. Precedence: flag, environment, file, default.
    /// - Parameter own: settings for which the verb has its own flags.
    func load(further: [String] = [], own: [SettingFlag] = []) throws -> LoadedConfiguration {
        // Files that a verb creates are accessible only to its user.
        umask(0o077)
        return try LoadedConfiguration(
            schema: ConfigurationSchema(modules: sparkModules),
            flags: settings + further, ownFlags: own + (data.map { [SettingFlag("--data", "server.data=\($0)")] } ?? []),
            environment: ProcessInfo.processInfo.environment, file: try file())
    }

    /// The configuration file; nil when none is named and the default does not exist.
    var configurationFile: String? {
        let path = config ?? "spark.yaml"
        return config == nil && !FileManager.default.fileExists(atPath: path) ? nil : path
    }

    private func file() throws -> (path: String, text: String)? {
        guard let path = configurationFile else { return nil }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            let code = access(path, R_OK) == 0 ? EISDIR : errno
            throw StorageOpenError(operation: "read configuration", path: path, hint: String(cString: strerror(code)))
        }
        guard let text = String(data: bytes, encoding: .utf8) else {
            let line = Self.lineOfBrokenText(bytes)
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
        guard case .text(let token) = try load().value("metrics", "token"), !token.isEmpty else { return (address, nil) }
        return (address, token)
    }

    private func portFile() throws -> (path: String, content: JSONValue?) {
        let process: ServerConfiguration = try load().section("server")
        let path = "\(process.dataDirectory)/spark.port.json"
        return (process.dataDirectory, FileManager.default.contents(atPath: path).flatMap { try? JSONParser.parse($0) })
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
