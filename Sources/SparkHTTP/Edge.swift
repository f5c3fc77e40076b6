package import Logging
import NIOCore
import NIOHTTP1
package import SparkCore
package import SparkKit
package import SparkStorage
import Synchronization

/// The part of the edge that needs no data: sockets, limits and rates. It starts first, so that probes are answered and every
/// other request gets 503 while the data is migrated.
package final class EdgeFront: Sendable {
    let configuration: EdgeConfiguration
    let clock: any WallClock
    let random: any RandomSource
    let logger: Logger
    let limiter: RateLimiter
    let gateway: UpgradeGateway
    let sharing: CrossOriginSharing
    let metrics: EdgeMetrics
    let admission: Admission
    let access: OperatorAccess
    let startGate: StartGate
    /// Holds requests back while the state of a server for tests is replaced; nil for every other server.
    package let requestGate: RequestGate?
    /// By how much the limits of a server for tests are larger.
    private static let generosity = 10_000
    private let hasGenerousLimits: Bool
    private let dates: HTTPDate
    private let doors: Mutex<(everybody: Door, operators: Door)>

    /// - Parameters:
    ///   - hasGenerousLimits: whether limits are counted but never reached: true for the ephemeral server under a test's load.
    ///   - origins: the web origins that may use the API.
    ///   - accessLog: notes each answered request; nil for no log.
    ///   - access: decides which requests reach the operators' routes.
    ///   - upgrades: paths that change to another protocol and need no data.
    ///   - probes: the only routes that are answered until `install`.
    package init(
        configuration: EdgeConfiguration, clock: any WallClock, random: any RandomSource, logger: Logger, hasGenerousLimits: Bool,
        origins: AllowedOrigins, accessLog: AccessLog?, admission: Admission, access: OperatorAccess, startGate: StartGate,
        upgrades: [any UpgradeRoute], probes: [Route]
    ) {
        let factor = hasGenerousLimits ? Self.generosity : 1
        let limiter = RateLimiter(
            policies: [
                .credentials: .init(quota: configuration.credentialsPerMinute * factor),
                .read: .init(quota: configuration.readsPerMinute * factor),
                .write: .init(quota: configuration.writesPerMinute * factor),
                .batch: .init(quota: configuration.writesPerMinute * factor),
            ], clock: clock)
        let sharing = CrossOriginSharing(origins: origins)
        let metrics = EdgeMetrics(accessLog: accessLog)
        self.configuration = configuration
        self.hasGenerousLimits = hasGenerousLimits
        self.clock = clock
        self.random = random
        self.logger = logger
        self.limiter = limiter
        self.gateway = UpgradeGateway(
            routes: upgrades, trustedProxies: configuration.trustedProxies, random: random,
            logger: logger, patience: configuration.requestTimeout, limiter: limiter, metrics: metrics, startGate: startGate)
        self.sharing = sharing
        self.metrics = metrics
        self.admission = admission
        self.access = access
        self.startGate = startGate
        self.requestGate = hasGenerousLimits ? RequestGate() : nil
        self.dates = HTTPDate(clock: clock)
        let dispatcher = Dispatcher(
            configuration: configuration, clock: clock, random: random, authenticator: nil, activity: nil, liveness: nil,
            tickets: nil, limiter: limiter, idempotency: nil, sharing: sharing, logger: logger)
        func table(isService: Bool) -> RouteTable {
            RouteTable(routes: [], probes: probes, isService: isService, dispatcher: dispatcher, metrics: metrics)
        }
        let parts = Door.Parts(
            api: table(isService: true), operators: table(isService: false), access: access, startGate: startGate,
            requestGate: requestGate, dispatcher: dispatcher, admission: admission,
            trustedProxies: configuration.trustedProxies)
        self.doors = Mutex((Door(side: .everybody, parts: parts), Door(side: .operators, parts: parts)))
    }

    /// Sends requests through these doors from now on, also on connections that are already open.
    func install(everybody: Door, operators: Door) { doors.withLock { $0 = (everybody, operators) } }

    private var unrouted: UnroutedAnswers { UnroutedAnswers(metrics: metrics, random: random, dates: dates) }

    private func door(_ side: Door.Side) -> Door { doors.withLock { side == .everybody ? $0.everybody : $0.operators } }

    /// Opens the public listener. Connections are accepted and answered from now on.
    /// - Parameters:
    ///   - tls: the certificate with which it speaks HTTPS, and how; nil for plain HTTP.
    ///   - inherited: a socket that is used instead; its connections wait until the listener begins.
    package func listen(
        host: String, port: Int, inherited: InheritedSocket? = nil, tls: (certificate: ServedCertificate, settings: TLSSettings)?
    ) async throws -> Listener {
        let secure = tls.map { tls in
            SecurePort(tls.certificate, tls.settings, clock: clock, factor: hasGenerousLimits ? Self.generosity : 1)
        }
        var rule = publicRule
        if let secure {
            rule.unrouted = nil
            rule.isOpen = { secure.admits($0) }
        }
        // Over a connection that anybody may read, the field means nothing (RFC 6797, 7.2), and a server that keeps nothing must not
        // bind a browser for a year.
        let strict = tls.map { hasGenerousLimits ? 0 : $0.settings.strictTransportSeconds } ?? 0
        let channel = edgeChannel(gateway, ProxySigns(logger: logger), secure, strictTransportSeconds: strict) { [self] request in
            await door(.everybody).respond(to: request)
        }
        return try await listen(host, port, inherited, rule, channel)
    }

    /// Opens the listener that redirects plain HTTP. Its connections count with those of the public listener.
    package func listenForRedirects(host: String, port: Int, _ redirect: HTTPSRedirect) async throws -> Listener {
        let row = metrics.row("redirect", isService: false)
        let channel = edgeChannel(gateway.closed, nil, nil) { request in
            let measurement = row.begin()
            var answer = await redirect.answer(to: request)
            row.end(measurement, request, &answer)
            return answer
        }
        return try await listen(host, port, nil, publicRule, channel)
    }

    private var publicRule: AcceptRule {
        let proxies = configuration.trustedProxies
        return AcceptRule(
            admission: admission,
            mostSockets: (admission.limits[.connections].total ?? .max / 2) + DescriptorReserve.closing,
            isTrustedProxy: { proxies.contains($0) }, unrouted: unrouted)
    }

    /// The rate limits, for snapshots of a server for tests.
    package var fixtureState: FixtureState { limiter.fixtureState }

    /// Opens the operators' listener. Its connections have a limit of their own, so that operators can inspect a full server.
    package func listenForOperators(host: String, port: Int, inherited: InheritedSocket? = nil) async throws -> Listener {
        let rule = AcceptRule(admission: nil, mostSockets: DescriptorReserve.operators, isTrustedProxy: { _ in true })
        let channel = edgeChannel(gateway.closed, nil, nil) { [self] request in await door(.operators).respond(to: request) }
        return try await listen(host, port, inherited, rule, channel)
    }

    private func edgeChannel(
        _ gateway: UpgradeGateway, _ signs: ProxySigns?, _ secure: SecurePort?, strictTransportSeconds: Int = 0,
        responder: @escaping EdgeChannel.Responder
    ) -> EdgeChannel {
        EdgeChannel(
            idleTimeout: configuration.idleTimeout, requestTimeout: configuration.requestTimeout,
            maximumBodyBytes: configuration.maximumBodyBytes, gateway: gateway, random: random, proxySigns: signs,
            unrouted: unrouted, secure: secure, strictTransportSeconds: strictTransportSeconds, responder: responder)
    }

    private func listen(
        _ host: String, _ port: Int, _ inherited: InheritedSocket?, _ rule: AcceptRule, _ channel: EdgeChannel
    ) async throws -> Listener {
        try await Listener.open(host: host, port: port, inherited: inherited, rule: rule, logger: logger) { newcomer in
            do {
                try channel.setup(newcomer.channel, admitted: newcomer.admitted)
                return newcomer.channel.eventLoop.makeSucceededVoidFuture()
            } catch {
                return newcomer.channel.eventLoop.makeFailedFuture(error)
            }
        }
    }
}

/// The HTTP edge: the frozen routes behind the front.
package struct Edge: Sendable {
    /// The API.
    package let publicDoor: Door
    /// Metrics and console.
    package let operatorDoor: Door
    private let idempotency: IdempotencyStore
    private let logger: Logger

    /// What the edge is made from.
    package struct Parts {
        /// The sockets and limits.
        package let front: EdgeFront
        /// The store, for idempotent responses.
        package let storage: any Storage
        /// The keys that seal stored responses.
        package let keys: ServerKeys
        /// Checks access tokens; nil where no module issues them.
        package let authenticator: (any Authenticating)?
        /// Checks whether a session may still write.
        package let liveness: (any SessionLiveness)?
        /// Checks whether the tokens in stored responses still work.
        package let grants: (any GrantLiveness)?
        /// Records which users are active; nil for no record.
        package let activity: (any ActivityRecording)?
        /// The paths that change to another protocol. They are distinct.
        package let upgrades: [any UpgradeRoute]
        /// The tickets that replace a token in a URL; nil where there are none.
        package let tickets: (any TicketRedeeming)?
        /// What goes wrong on request; nil in ordinary servers.
        package let faults: FaultBoard?

        /// The parts of an edge.
        package init(
            front: EdgeFront, storage: any Storage, keys: ServerKeys, authenticator: (any Authenticating)?,
            liveness: (any SessionLiveness)? = nil, grants: (any GrantLiveness)? = nil, activity: (any ActivityRecording)?,
            upgrades: [any UpgradeRoute] = [], tickets: (any TicketRedeeming)? = nil, faults: FaultBoard? = nil
        ) {
            self.front = front
            self.storage = storage
            self.keys = keys
            self.authenticator = authenticator
            self.liveness = liveness
            self.grants = grants
            self.activity = activity
            self.upgrades = upgrades
            self.tickets = tickets
            self.faults = faults
        }
    }

    /// Answers the front's requests from now on.
    /// - Parameters:
    ///   - routes: rows with their full paths (`/api/v1/…`), free of clashes.
    ///   - operatorRoutes: rows for operators.
    ///   - probes: rows that both doors answer, also while the server starts.
    package init(_ parts: Parts, routes: [Route], operatorRoutes: [Route], probes: [Route]) {
        let front = parts.front
        self.logger = front.logger
        self.idempotency = IdempotencyStore(storage: parts.storage, keys: parts.keys, clock: front.clock, grants: parts.grants)
        let dispatcher = Dispatcher(
            configuration: front.configuration, clock: front.clock, random: front.random, authenticator: parts.authenticator,
            activity: parts.activity, liveness: parts.liveness, tickets: parts.tickets, limiter: front.limiter,
            idempotency: idempotency, sharing: front.sharing, faults: parts.faults, logger: front.logger)
        front.gateway.add(parts.upgrades)
        let api = routes + front.gateway.fallbacks(besides: routes)
        let batch = BatchRoute(routes: api, dispatcher: dispatcher, metrics: front.metrics, admission: front.admission)
        let doors = Door.Parts(
            api: RouteTable(
                routes: api + [batch.route], probes: probes, isService: true, dispatcher: dispatcher, metrics: front.metrics),
            operators: RouteTable(
                routes: operatorRoutes + OperatorEntrance.routes(besides: operatorRoutes), probes: probes, isService: false,
                dispatcher: dispatcher, metrics: front.metrics),
            access: front.access, startGate: front.startGate, requestGate: front.requestGate, dispatcher: dispatcher,
            admission: front.admission, trustedProxies: front.configuration.trustedProxies,
            hasFixture: operatorRoutes.contains { FixturePath.contains($0.path) })
        self.publicDoor = Door(side: .everybody, parts: doors)
        self.operatorDoor = Door(side: .operators, parts: doors)
        front.install(everybody: publicDoor, operators: operatorDoor)
    }

    /// Deletes stored idempotent responses past their retention, every ten minutes.
    package var work: TimedWork {
        .dated(
            "server.idempotency", every: .minutes(10), startsAtOnce: false, isOldestFirst: true,
            nextDue: { try await idempotency.nextExpiry() }
        ) {
            do {
                try await idempotency.sweep()
            } catch {
                logger.warning("housekeeping failed", metadata: ["error": .string(ErrorSummary.of(error))])
            }
        }
    }
}
