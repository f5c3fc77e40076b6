import HTTPTypes
import Logging
import SparkBackup
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
    /// Runs the timed work of the server and of the modules.
    let timedWork: TimedWorkService
    let desk: OperatorDesk
    let clockKeeping: ClockKeeping
    let erasures: ErasureKeeping
    let backups: BackupService
    let drills: DrillService
    let archive: ArchiveService?
    /// The snapshots of a server for tests; nil for every other server.
    let states: StateKeeper?
    let openAPI: OpenAPIDocument
    let asyncAPI: AsyncAPIDocument

    /// - Parameter archive: the archive of the log; nil for none.
    init(_ modules: ConstructedModules, archive log: LogArchive?, behind front: ServerFront) {
        let (options, storage, hub) = (modules.surroundings.options, modules.surroundings.storage, modules.surroundings.hub)
        let backup: BackupConfiguration = options.configuration.section("backup")
        var place = options.isEphemeral ? nil : Self.place(backup, options)
        if let log { place?.archivePosition = { await log.catchUp()?.description } }
        let erasures = ErasureKeeping(
            options.directory, place: place, clock: options.clock, logger: options.logger,
            isKept: !options.isEphemeral && options.directory.readOnly == nil)
        let backups = BackupService(
            directory: options.directory.url, configuration: backup, place: place, archive: log,
            erasures: erasures, clock: options.clock, logger: options.logger)
        let archive = ArchiveService(log, place: place, backups: backups, logger: options.logger)
        let drills = DrillService(
            directory: options.directory.url, configuration: backup, isOn: place != nil, program: options.drill,
            isBackingUp: { backups.isMaking }, clock: options.clock, logger: options.logger)
        (self.erasures, self.backups, self.drills, self.archive) = (erasures, backups, drills, archive)
        let readiness = Readiness(
            storage: storage, directory: options.directory.url, checks: modules.all(\.healthChecks),
            notes: options.isEphemeral
                ? []
                : [
                    ("backup", { @Sendable in backups.note }),
                    ("drill", { @Sendable in drills.note }),
                    ("archive", { @Sendable in archive?.note ?? ArchiveService.off }),
                ])
        // If the sockets are open already, probes arrive here soon.
        if !front.startGate.isOpen { readiness.begin() }
        self.readiness = readiness
        self.events = EventBus(modules.all(\.eventHooks))
        storage.observeCommits(
            CommitDelivery(
                cache: modules.surroundings.cache, events: events, fixture: front.plan.fixture,
                modules.all(\.eventHooks) + [hub.suspensions, erasures.hook] + hub.revocations))
        hub.freeze(
            frames: FrameTable(client: modules.all(\.clientFrames), server: modules.all(\.serverFrames)),
            observers: modules.exchange.contributions(of: (any ConnectionObserving).self).all)
        let gateway = Self.gateway(modules, front)
        let streamRoutes = StreamRoutes(gateway: gateway).all
        self.gateway = gateway
        self.openAPI = Self.openAPI(modules.registrations, streamRoutes)
        let asyncAPI = AsyncAPIDocument(frames: hub.frames, version: SparkVersion.text)
        self.asyncAPI = asyncAPI
        self.edge = Self.edge(
            modules, front, gateway,
            routes: modules.registrations.routes + modules.registrations.pages + streamRoutes.map(\.mounted)
                + DocumentRoutes(openAPI: openAPI) { [asyncAPI] in asyncAPI.json }.all, probes: readiness.routes)
        front.plan.fixture?.attach(
            FixtureServer(edge: edge, gate: front.edge.requestGate, modules: modules, random: options.random))
        self.outbox = Self.outbox(modules)
        self.desk = Self.desk(modules)
        let clockKeeping = ClockKeeping(
            repairs: [{ try await storage.outbox.repairTimes() }] + modules.all(\.timeRepairs), clock: options.clock,
            logger: options.logger)
        self.clockKeeping = clockKeeping
        let works =
            [outbox.work, clockKeeping.work, erasures.work] + Self.works(modules) + [edge.work] + gateway.works
            + modules.all(\.timedWorks)
        self.timedWork = TimedWorkService(works: works, gate: front.plan.fixtureTime?.gate)
        front.plan.fixtureTime?.begin(works) { [events] in
            // This write runs after everything that was queued before. It is refused only when writing is no longer possible.
            _ = try? await storage.write { _ in }
            await events.drain()
        }
        self.states = StateKeeper(modules, events, desk, behind: front)
    }

    /// Work of the server that needs nothing but its surroundings.
    private static func works(_ modules: ConstructedModules) -> [TimedWork] {
        let (options, storage) = (modules.surroundings.options, modules.surroundings.storage)
        let process: ServerConfiguration = options.configuration.section("server")
        let copies = CopyKeeping(
            directory: options.directory, age: process.backupAge, clock: options.clock, logger: options.logger)
        let gauges = GaugeSampler(
            database: DatabaseGauges(storage: storage, file: options.directory.database),
            outbox: OutboxGauges(storage: storage, clock: options.clock),
            directory: DiskGauges(directory: options.directory), logger: options.logger)
        return [copies.work, CacheKeeping(cache: modules.surroundings.cache).work, gauges.work]
    }

    /// The place of scheduled backups; nil if there is none, or if it cannot be used, which the check of the configuration reports.
    private static func place(_ backup: BackupConfiguration, _ options: Server.Options) -> BackupPlace? {
        guard backup.isOn, options.directory.isOwner else { return nil }
        do {
            return try BackupPlace(
                backup.place, recipients: backup.recipients, bucket: backup.bucket, directory: options.directory.url,
                clock: options.clock)
        } catch {
            options.logger.error(
                "no backups are made", metadata: ["place": .string(BackupStores.shown(backup.place)), "error": "\(error)"])
            return nil
        }
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
                upgrades: [WebSocketUpgrade(gateway.route)], tickets: gateway.tickets, faults: front.plan.fixture?.faults),
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
        let tls: TLSSettings = options.configuration.section("tls")
        return OperatorDesk(
            actions: modules.all(\.operatorActions), storage: modules.surroundings.storage,
            head: AuditHead(directory: options.directory.url),
            publicURL: process.publicURL.isEmpty ? "\(tls.isOn ? "https" : "http")://\(edge.listen)" : process.publicURL,
            logger: options.logger)
    }

    private static func openAPI(_ registrations: ModuleRegistrations, _ streamRoutes: [Route]) -> OpenAPIDocument {
        let stream = StreamManifest.manifest
        return OpenAPIDocument(
            modules: registrations.entries.map { entry in
                (
                    entry.manifest.id, entry.manifest.summary,
                    entry.registrar.routes.map(\.mounted) + entry.registrar.fixtureRoutes
                )
            } + [
                (stream.id, stream.summary, streamRoutes.map(\.mounted)),
                ("batch", "Several requests in one", [BatchRoute.documented]),
            ], version: SparkVersion.text)
    }
}
