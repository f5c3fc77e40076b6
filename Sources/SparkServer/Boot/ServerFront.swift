import Foundation
import Logging
import NIOPosix
import ServiceLifecycle
import SparkHTTP
import SparkKit
import SparkStorage
import SparkWebSocket
import Synchronization

/// The sockets of a server. They can open before the data does, and report the start.
final class ServerFront: Sendable {
    private struct Sockets {
        var listeners: [Listener] = []
        var certificate: ServedCertificate?
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

    /// What keeps the listeners up to date while the server runs.
    var services: [any Service] { sockets.withLock { $0.certificate }.map { [CertificateWatch($0)] } ?? [] }

    /// Opens the sockets, unless they are open, and writes the port file. Only probes are answered until the gate opens.
    @discardableResult
    func listen() async throws -> Listening {
        if let listening = sockets.withLock({ $0.listening }) { return listening }
        startGate.shut()
        let configuration: EdgeConfiguration = options.configuration.section("http")
        guard let (host, port) = configuration.address else {
            throw ConfigurationError(faults: ["http.listen: \(ListenAddress.expectation)"])
        }
        let settings: TLSSettings = options.configuration.section("tls")
        let certificate = try await certificate(settings)
        let tls = certificate.map { ($0, settings) }
        sockets.withLock { $0.certificate = certificate }
        var listening: Listening
        if options.sockets.everybody.isEmpty {
            let listener = try await edge.listen(host: host, port: port, tls: tls)
            sockets.withLock { $0.listeners.append(listener) }
            listening = Listening(
                host: host, port: listener.port, isSecure: certificate != nil, directory: options.directory.url)
        } else {
            listening = try await listenOnInherited(tls)
        }
        listening.adminToken = plan.adminToken
        if certificate != nil, let address = settings.redirectAddress {
            listening.redirectURL = try await listenForRedirects(at: address, to: listening.port, settings)
        }
        if let socket = options.sockets.operators {
            let place = socket.address.reachable
            let operators = try await edge.listenForOperators(host: place.host, port: place.port, inherited: socket)
            sockets.withLock { $0.listeners.append(operators) }
            // Operators and their probes see how the start goes.
            operators.begin()
            listening.operatorURL = Listening.url(place.host, place.port)
        } else if let (operatorHost, wished) = try Self.operatorAddress(
            options.configuration, isEphemeral: options.isEphemeral)
        {
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

    /// The certificate of the public listener; nil without TLS.
    private func certificate(_ settings: TLSSettings) async throws -> ServedCertificate? {
        guard settings.isOn else { return nil }
        let (clock, logger) = (options.clock, options.logger)
        do {
            return try await NIOThreadPool.singleton.runIfActive { try ServedCertificate(settings, clock: clock, logger: logger) }
        } catch {
            throw ConfigurationError(faults: ["\(error)"])
        }
    }

    /// Opens the listener that redirects plain HTTP to a port.
    /// - Returns: its URL.
    private func listenForRedirects(at address: ListenAddress, to port: Int, _ settings: TLSSettings) async throws -> String {
        let process: ServerConfiguration = options.configuration.section("server")
        let redirect = HTTPSRedirect(publicURL: process.publicURL, port: port, webroot: settings.acmeWebroot)
        do {
            let listener = try await edge.listenForRedirects(host: address.host, port: address.port, redirect)
            sockets.withLock { $0.listeners.append(listener) }
            return Listening.url(address.host, listener.port)
        } catch {
            throw StorageOpenError(
                operation: "listen", path: "tls.redirect_listen \(address.text)",
                hint: "the address cannot be bound: another server may use it, and ports below 1024 need the right to them "
                    + "(CAP_NET_BIND_SERVICE); choose another one, or none with --set tls.redirect_listen=")
        }
    }

    /// Listens on the sockets of the service manager instead of `http.listen`. Their connections wait until the server is ready, or
    /// for a moment.
    private func listenOnInherited(
        _ tls: (certificate: ServedCertificate, settings: TLSSettings)?
    ) async throws -> Listening {
        let edge: EdgeConfiguration = options.configuration.section("http")
        let places = options.sockets.everybody.map(\.address)
        if options.configuration.origins["http.listen"] != nil, let asked = ListenAddress(edge.listen), !places.contains(asked) {
            options.logger.warning(
                "http.listen has no effect: the sockets come from the service manager; change ListenStream= in the socket unit",
                metadata: ["http.listen": .string(asked.text), "listens": .string(places.map(\.text).joined(separator: " "))])
        }
        for socket in options.sockets.everybody {
            let listener = try await self.edge.listen(
                host: socket.address.host, port: socket.address.port, inherited: socket, tls: tls)
            sockets.withLock { $0.listeners.append(listener) }
        }
        let process: ServerConfiguration = options.configuration.section("server")
        let patience = process.startPatience
        Task.detached { [weak self] in
            try? await Task.sleep(for: patience)
            self?.begin()
        }
        let place = places[0].reachable
        return Listening(host: place.host, port: place.port, isSecure: tls != nil, directory: options.directory.url)
    }

    /// Lets the connections in that wait on inherited sockets.
    func begin() {
        for listener in listeners { listener.begin() }
    }

    /// Leaves the connections that come on inherited sockets to the next server.
    func leave() async {
        for listener in listeners { await listener.leave() }
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
