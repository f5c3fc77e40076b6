import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOHTTP1
package import SparkCore
package import SparkKit
package import SparkStorage

/// The HTTP edge: the frozen routers and the listeners that put them on sockets.
package struct Edge: Sendable {
    /// The API.
    package let publicDoor: Door
    /// Metrics and console, and nothing else.
    package let operatorDoor: Door
    private let configuration: EdgeConfiguration
    private let admission: Admission
    private let dates: HTTPDate
    private let idempotency: IdempotencyStore
    private let gateway: WebSocketGateway

    /// What the edge is put together from.
    package struct Parts {
        package let configuration: EdgeConfiguration
        package let clock: any WallClock
        package let random: any RandomSource
        package let storage: Storage
        package let keys: ServerKeys
        package let logger: Logger
        /// Whether limits are counted but never reached: the ephemeral server under a test's load.
        package let hasGenerousLimits: Bool
        package let authenticator: (any Authenticating)?
        /// Whether those on whose behalf something is written may still write.
        package let liveness: (any SessionLiveness)?
        package let activity: (any ActivityRecording)?
        /// The paths on which connections become WebSockets; all different.
        package let webSockets: [WebSocketRoute]
        /// What stands for a token in a URL; nil where nothing does.
        package let tickets: StreamTickets?
        /// Of pages that may use the API.
        package let origins: AllowedOrigins
        /// Told each answer; nil for none.
        package let accessLog: AccessLog?
        package let admission: Admission
        /// Who may reach the operators' rows.
        package let access: OperatorAccess
        package let startGate: StartGate

        package init(
            configuration: EdgeConfiguration, clock: any WallClock, random: any RandomSource, storage: Storage,
            keys: ServerKeys, logger: Logger, hasGenerousLimits: Bool, authenticator: (any Authenticating)?,
            liveness: (any SessionLiveness)? = nil, activity: (any ActivityRecording)?, webSockets: [WebSocketRoute] = [],
            tickets: StreamTickets? = nil, origins: AllowedOrigins = AllowedOrigins(), accessLog: AccessLog? = nil,
            admission: Admission, access: OperatorAccess, startGate: StartGate
        ) {
            self.configuration = configuration
            self.clock = clock
            self.random = random
            self.storage = storage
            self.keys = keys
            self.logger = logger
            self.hasGenerousLimits = hasGenerousLimits
            self.authenticator = authenticator
            self.liveness = liveness
            self.activity = activity
            self.webSockets = webSockets
            self.tickets = tickets
            self.origins = origins
            self.accessLog = accessLog
            self.admission = admission
            self.access = access
            self.startGate = startGate
        }
    }

    /// - Parameters:
    ///   - routes: rows with their whole paths (`/api/v1/…`), free of clashes.
    ///   - operatorRoutes: rows for those who run the server.
    ///   - probes: rows that both sides answer, also while the server starts.
    package init(_ parts: Parts, routes: [Route], operatorRoutes: [Route], probes: [Route]) {
        let configuration = parts.configuration
        let factor = parts.hasGenerousLimits ? 10_000 : 1
        let limiter = RateLimiter(
            policies: [
                .credentials: .init(quota: configuration.credentialsPerMinute * factor),
                .read: .init(quota: configuration.readsPerMinute * factor),
                .write: .init(quota: configuration.writesPerMinute * factor),
            ], clock: parts.clock)
        self.configuration = configuration
        self.idempotency = IdempotencyStore(storage: parts.storage, keys: parts.keys, clock: parts.clock)
        let gateway = WebSocketGateway(
            routes: parts.webSockets + (configuration.echoesWebSockets ? [.echo] : []),
            trustedProxies: configuration.trustedProxies, random: parts.random, logger: parts.logger,
            patience: configuration.requestTimeout, limiter: limiter, accessLog: parts.accessLog, startGate: parts.startGate)
        self.gateway = gateway
        self.admission = parts.admission
        self.dates = HTTPDate(clock: parts.clock)
        let dispatcher = Dispatcher(
            configuration: configuration, clock: parts.clock, random: parts.random, authenticator: parts.authenticator,
            activity: parts.activity, liveness: parts.liveness, tickets: parts.tickets, limiter: limiter,
            idempotency: idempotency, sharing: CrossOriginSharing(origins: parts.origins), logger: parts.logger)
        let doors = Door.Parts(
            api: EdgeRouter(
                routes: routes + probes + gateway.fallbacks(besides: routes), dispatcher: dispatcher, accessLog: parts.accessLog),
            operators: EdgeRouter(
                routes: operatorRoutes + OperatorEntrance.routes(besides: operatorRoutes) + probes, dispatcher: dispatcher,
                accessLog: parts.accessLog),
            access: parts.access, startGate: parts.startGate, dispatcher: dispatcher, admission: parts.admission,
            trustedProxies: configuration.trustedProxies)
        self.publicDoor = Door(side: .everybody, parts: doors)
        self.operatorDoor = Door(side: .operators, parts: doors)
    }

    /// Forgets kept answers that are too old.
    package func sweep() async throws { try await idempotency.sweep() }

    /// Listens for everybody. Connections are accepted, and answered, from now on.
    package func listen(host: String, port: Int, logger: Logger) async throws -> Listener {
        let proxies = configuration.trustedProxies
        let rule = AcceptRule(
            admission: admission, mostSockets: (admission.limits[.connections].total ?? .max / 2) + DescriptorReserve.closing,
            isTrustedProxy: { proxies.contains($0) })
        return try await listen(host, port, rule, publicDoor, gateway, ProxySigns(logger: logger), logger)
    }

    /// Listens for operators. These connections have room of their own: a server that is full can still be looked at.
    package func listenForOperators(host: String, port: Int, logger: Logger) async throws -> Listener {
        let rule = AcceptRule(admission: nil, mostSockets: DescriptorReserve.operators, isTrustedProxy: { _ in true })
        return try await listen(host, port, rule, operatorDoor, gateway.closed, nil, logger)
    }

    private func listen(
        _ host: String, _ port: Int, _ rule: AcceptRule, _ door: Door, _ gateway: WebSocketGateway, _ signs: ProxySigns?,
        _ logger: Logger
    ) async throws -> Listener {
        let dates = dates
        let channel = EdgeChannel(
            responder: { request, writer, channel in
                let context = EdgeContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
                var response: Response
                do {
                    response = try await door.respond(to: request, context: context)
                } catch let error as HTTPParserError {
                    throw error
                } catch {
                    response = Response(status: .internalServerError)
                }
                response.headers[.date] = dates.now
                do {
                    try await writer.write(response: response.head, body: response.body)
                } catch is HTTPParserError {
                    // Thrown on, it would be answered a second time.
                    throw BrokenWhileAnswering()
                }
            }, idleTimeout: configuration.idleTimeout, requestTimeout: configuration.requestTimeout, gateway: gateway,
            proxySigns: signs)
        return try await Listener.open(host: host, port: port, rule: rule, logger: logger) { newcomer in
            channel.setup(channel: newcomer.channel, admitted: newcomer.admitted, logger: logger).map { value in
                // Ends with its connection, at the latest when the listener cuts that.
                Task { await channel.handle(value: value, logger: logger) }
            }
        }
    }
}

/// The request turned out broken after its answer had begun.
private struct BrokenWhileAnswering: Error {}
