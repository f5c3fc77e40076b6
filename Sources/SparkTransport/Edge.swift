import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import ServiceLifecycle
package import SparkCore
package import SparkKit
package import SparkStorage

/// The HTTP edge: the frozen router and the server that puts it on a socket.
package struct Edge: Sendable {
    package let router: EdgeRouter
    private let configuration: EdgeConfiguration
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

        package init(
            configuration: EdgeConfiguration, clock: any WallClock, random: any RandomSource, storage: Storage,
            keys: ServerKeys, logger: Logger, hasGenerousLimits: Bool, authenticator: (any Authenticating)?,
            liveness: (any SessionLiveness)? = nil, activity: (any ActivityRecording)?, webSockets: [WebSocketRoute] = [],
            tickets: StreamTickets? = nil
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
        }
    }

    /// - Parameter routes: rows with their whole paths (`/api/v1/…`), free of clashes.
    package init(_ parts: Parts, routes: [Route]) {
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
            patience: configuration.requestTimeout)
        self.gateway = gateway
        self.router = EdgeRouter(
            routes: routes + gateway.fallbacks(besides: routes),
            dispatcher: Dispatcher(
                configuration: configuration, clock: parts.clock, random: parts.random, authenticator: parts.authenticator,
                activity: parts.activity, liveness: parts.liveness, tickets: parts.tickets, limiter: limiter,
                idempotency: idempotency, logger: parts.logger
            ))
    }

    /// Forgets kept answers that are too old.
    package func sweep() async throws { try await idempotency.sweep() }

    /// The server as a service: listens when it runs, answers what is under way before it ends.
    /// - Parameter onListening: told the port once the socket is open.
    package func server(
        host: String, port: Int, logger: Logger, onListening: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        let (idle, request, gateway) = (configuration.idleTimeout, configuration.requestTimeout, gateway)
        return Application(
            responder: router,
            server: HTTPServerBuilder { responder in
                EdgeChannel(responder: responder, idleTimeout: idle, requestTimeout: request, gateway: gateway)
            },
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), backlog: 4_096),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
            logger: logger)
    }
}
