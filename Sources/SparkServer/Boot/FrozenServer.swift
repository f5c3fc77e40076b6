import HTTPTypes
import SparkCore
import SparkHTTP
import SparkKit
import SparkStorage
import SparkStream

/// Step 4 of the boot: what the modules registered has become constants. Commits are delivered, and requests have their routes.
struct FrozenServer: Sendable {
    let readiness: Readiness
    let events: EventBus
    let gateway: StreamGateway
    let edge: Edge
    let outbox: OutboxWorker
    let desk: OperatorDesk
    let clockKeeping: ClockKeeping
    let openAPI: OpenAPIDocument
    let asyncAPI: AsyncAPIDocument

    init(_ modules: ConstructedModules, behind front: ServerFront) {
        let (options, storage, hub) = (modules.surroundings.options, modules.surroundings.storage, modules.surroundings.hub)
        let readiness = Readiness(storage: storage, directory: options.directory.url, checks: modules.all(\.healthChecks))
        // If the sockets are open already, probes arrive here soon.
        if !front.startGate.isOpen { readiness.begin() }
        self.readiness = readiness
        self.events = EventBus(modules.all(\.eventHooks))
        storage.observeCommits(
            CommitDelivery(
                cache: modules.surroundings.cache, events: events,
                modules.all(\.eventHooks) + [hub.suspensions] + hub.revocations))
        hub.freeze(
            frames: FrameTable(client: modules.all(\.clientFrames), server: modules.all(\.serverFrames)),
            observers: modules.exchange.contributions(of: (any ConnectionObserving).self).all)
        let gateway = Self.gateway(modules, front)
        let streamRoutes = StreamRoutes(gateway: gateway).all
        self.gateway = gateway
        self.openAPI = Self.openAPI(modules.registrations, streamRoutes)
        self.asyncAPI = AsyncAPIDocument(frames: hub.frames, version: SparkVersion.text)
        self.edge = Self.edge(
            modules, front, gateway,
            routes: modules.registrations.routes + modules.registrations.pages + streamRoutes.map(\.mounted)
                + DocumentRoutes(openAPI: openAPI, asyncAPI: asyncAPI.json).all, probes: readiness.routes)
        self.outbox = Self.outbox(modules)
        self.desk = Self.desk(modules)
        self.clockKeeping = ClockKeeping(
            repairs: [{ try await storage.outbox.repairTimes() }] + modules.all(\.timeRepairs), clock: options.clock,
            logger: options.logger)
    }

    private static func gateway(_ modules: ConstructedModules, _ front: ServerFront) -> StreamGateway {
        let (options, hub) = (modules.surroundings.options, modules.surroundings.hub)
        return StreamGateway(
            hub: hub, configuration: options.configuration.section("stream"), origins: front.plan.origins, tickets: hub.tickets,
            authenticator: modules.port((any Authenticating).self), liveness: modules.port((any SessionLiveness).self),
            activity: modules.port((any ActivityRecording).self), random: options.random, logger: options.logger,
            hasGenerousLimits: options.isEphemeral)
    }

    private static func edge(
        _ modules: ConstructedModules, _ front: ServerFront, _ gateway: StreamGateway, routes: [Route], probes: [Route]
    ) -> Edge {
        Edge(
            Edge.Parts(
                front: front.edge, storage: modules.surroundings.storage, keys: modules.surroundings.keys,
                authenticator: modules.port((any Authenticating).self), liveness: modules.port((any SessionLiveness).self),
                grants: modules.port((any GrantLiveness).self), activity: modules.port((any ActivityRecording).self),
                upgrades: [WebSocketUpgrade(gateway.route)], tickets: gateway.tickets),
            routes: routes, operatorRoutes: modules.registrations.operatorRoutes, probes: probes)
    }

    private static func outbox(_ modules: ConstructedModules) -> OutboxWorker {
        let options = modules.surroundings.options
        let handlers = Dictionary(uniqueKeysWithValues: modules.all(\.outboxHandlers).map { ($0.topic, $0) })
        return OutboxWorker(
            storage: modules.surroundings.storage, handlers: handlers, clock: options.clock, random: options.random,
            logger: options.logger, metrics: OutboxMetrics(topics: handlers.keys))
    }

    private static func desk(_ modules: ConstructedModules) -> OperatorDesk {
        let options = modules.surroundings.options
        let process: ServerConfiguration = options.configuration.section("server")
        let edge: EdgeConfiguration = options.configuration.section("http")
        return OperatorDesk(
            actions: modules.all(\.operatorActions), storage: modules.surroundings.storage,
            head: AuditHead(directory: options.directory.url),
            publicURL: process.publicURL.isEmpty ? "http://\(edge.listen)" : process.publicURL, logger: options.logger)
    }

    private static func openAPI(_ registrations: ModuleRegistrations, _ streamRoutes: [Route]) -> OpenAPIDocument {
        let stream = StreamManifest.manifest
        return OpenAPIDocument(
            modules: registrations.entries.map { entry in
                (entry.manifest.id, entry.manifest.summary, entry.registrar.routes.map(\.mounted))
            } + [
                (stream.id, stream.summary, streamRoutes.map(\.mounted)),
                ("batch", "Several requests in one", [BatchRoute.documented]),
            ], version: SparkVersion.text)
    }
}
