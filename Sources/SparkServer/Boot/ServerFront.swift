import Foundation
import Logging
import SparkHTTP
import SparkKit
import SparkStorage
import SparkWebSocket
import Synchronization

/// The sockets of a server. They can open before the data does, and report the start.
final class ServerFront: Sendable {
    private struct Sockets {
        var listeners: [Listener] = []
        var listening: Listening?
    }

    let plan: BootPlan
    let edge: EdgeFront
    let startGate = StartGate()
    private let progress = StartProgress()
    private let sockets = Mutex(Sockets())
    private var options: Server.Options { plan.options }

    /// Opens no socket yet.
    init(_ plan: BootPlan) {
        let options = plan.options
        let configuration: EdgeConfiguration = options.configuration.section("http")
        self.plan = plan
        self.edge = EdgeFront(
            configuration: configuration, clock: options.clock, random: options.random, logger: options.logger,
            hasGenerousLimits: options.isEphemeral, origins: plan.origins, accessLog: Self.accessLog(options),
            admission: plan.admission, access: plan.access, startGate: startGate,
            upgrades: configuration.echoesWebSockets ? [WebSocketUpgrade(.echo)] : [], probes: progress.routes)
    }

    /// Notes the progress of the migration.
    func note(_ step: MigrationProgress) {
        progress.note(step)
        // Only an existing database is copied first; creating a new one is not worth a log line.
        if step == .copying { options.logger.info("the database is of an older version and is migrated") }
    }

    /// The open listeners.
    var listeners: [Listener] { sockets.withLock { $0.listeners } }

    /// Opens the sockets, unless they are open, and writes the port file. Only probes are answered until the gate opens.
    @discardableResult
    func listen() async throws -> Listening {
        if let listening = sockets.withLock({ $0.listening }) { return listening }
        startGate.shut()
        let configuration: EdgeConfiguration = options.configuration.section("http")
        guard let (host, port) = configuration.address else {
            throw ConfigurationError(faults: ["http.listen: \(ListenAddress.expectation)"])
        }
        let listener = try await edge.listen(host: host, port: port)
        sockets.withLock { $0.listeners.append(listener) }
        var listening = Listening(host: host, port: listener.port, directory: options.directory.url)
        listening.adminToken = plan.adminToken
        if let (operatorHost, wished) = try Self.operatorAddress(options.configuration, isEphemeral: options.isEphemeral) {
            do {
                let operators = try await edge.listenForOperators(host: operatorHost, port: wished)
                sockets.withLock { $0.listeners.append(operators) }
                listening.operatorURL = Listening.url(operatorHost, operators.port)
            } catch {
                throw StorageOpenError(
                    operation: "listen", path: "operator.listen \(operatorHost):\(wished)",
                    hint: "the address cannot be bound, perhaps because another server uses it; choose another one with "
                        + "--set operator.listen=127.0.0.1:0, or none with --set operator.listen=")
            }
        }
        options.directory.writePortFile(listening)
        let result = listening
        sockets.withLock { $0.listening = result }
        return result
    }

    /// Closes everything at once. Used when a server could not start.
    func close() async {
        for listener in listeners { await listener.close() }
    }

    /// The address of the operators' listener. An ephemeral server has a single port unless the operator sets another; a server
    /// on a port that the system picks gets such a port for operators too.
    private static func operatorAddress(
        _ configuration: LoadedConfiguration, isEphemeral: Bool
    ) throws -> (host: String, port: Int)? {
        let section: OperatorConfiguration = configuration.section("operator")
        let isSet = configuration.origins["operator.listen"] != nil
        guard !section.listen.isEmpty, isSet || !isEphemeral else { return nil }
        guard let address = section.address else {
            throw ConfigurationError(faults: ["operator.listen: \(ListenAddress.expectation), or nothing for no listener"])
        }
        let edge: EdgeConfiguration = configuration.section("http")
        // If the public listener uses port 0 or this port, the system picks a port for the operators.
        guard !isSet, let port = edge.address?.port, port == 0 || port == address.port else { return address }
        return (address.host, 0)
    }

    /// The access log; nil unless it is enabled.
    private static func accessLog(_ options: Server.Options) -> AccessLog? {
        let process: ServerConfiguration = options.configuration.section("server")
        guard process.hasAccessLog else { return nil }
        var logger = options.accessLogger ?? options.logger
        // The access log has its own switch: the log level of other lines does not silence it.
        logger.logLevel = .info
        return AccessLog(logger: logger)
    }
}
