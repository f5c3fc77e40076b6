public import Foundation
import GRDB
import HTTPTypes
public import Logging
import ServiceLifecycle
public import SparkCache
public import SparkCore
public import SparkKit
public import SparkStorage
import SparkTelemetry
import SparkTransport
import Synchronization
import UnixSignals

/// A server put together from modules: planned, migrated, constructed and frozen; not yet on a socket.
///
/// Boot goes in five steps from value to value: plan (manifests are checked and sorted) → migrate (the store is opened and brought
/// to the schema) → construct (each module is made and registers) → freeze (router, events and ports become constants) → run.
/// All that can be wrong is found, and told at once, before a socket opens.
public final class Server: Sendable {
    /// What a server is made from.
    public struct Options: Sendable {
        public var modules: [any SparkModule.Type]
        public var configuration: LoadedConfiguration
        public var directory: DataDirectory
        /// Everything temporary: commits do not wait for the disk, password hashing is cheap, rate limits are out of reach.
        public var isEphemeral = false
        public var clock: any WallClock = SystemWallClock()
        public var random: any RandomSource = SystemRandomSource()
        public var logger: Logger

        public init(
            modules: [any SparkModule.Type], configuration: LoadedConfiguration, directory: DataDirectory, logger: Logger
        ) {
            self.modules = modules
            self.configuration = configuration
            self.directory = directory
            self.logger = logger
        }
    }

    public let storage: Storage
    public let cache: Cache
    public let plan: ModulePlan
    let edge: Edge
    let outbox: OutboxWorker
    let events: EventBus
    private let hub: Hub
    private let gateway: StreamGateway
    private let options: Options
    private let registration: Registration
    private let exchange: ModuleExchange
    private let readiness: Readiness
    private let clockKeeping: ClockKeeping
    private let running = Mutex<ServiceGroup?>(nil)

    /// Plans, migrates, constructs and freezes. A server that cannot be gives its data directory back.
    /// - Throws: `PlanError` with every fault of the modules, `StorageOpenError` for the data directory.
    public convenience init(_ options: Options) throws {
        do {
            try self.init(assembling: options)
        } catch {
            options.directory.release()
            throw error
        }
    }

    private init(assembling options: Options) throws {
        MetricsRegistry.install()
        let disabled = options.configuration.section("modules", as: ModulesConfiguration.self).disabled
        let plan = ModulePlan(options.modules, disabled: disabled)
        guard plan.faults.isEmpty else {
            throw PlanError(faults: plan.faults + (try Rehearsal.faults(of: plan, options: options)))
        }
        MetricsRegistry.shared.declare((KernelManifests.all + plan.manifests).flatMap(\.metrics))
        var storageConfiguration = StorageConfiguration(
            file: options.directory.database, backupDirectory: options.isEphemeral ? nil : options.directory.backups)
        storageConfiguration.isDurable = !options.isEphemeral
        storageConfiguration.mayMigrate = options.directory.isOwner
        let keys = try options.directory.keys()
        let storage = try Storage(
            storageConfiguration, migrations: plan.manifests.flatMap(\.migrations), clock: options.clock)
        let cache = Cache(options.configuration.section("cache"), options: options, keys: keys)
        let exchange = ModuleExchange()
        let identifiers = IdentifierGenerator(clock: options.clock, random: options.random)
        let personalData = PersonalDataRegistry(manifests: [StreamManifest.manifest] + plan.manifests)
        let admission = Admission(limits: .standard, clock: options.clock)
        let hub = Hub(storage: storage, clock: options.clock)
        let registration = Registration(
            plan: plan, configuration: options.configuration,
            context: { manifest, exchange in
                ModuleContext(
                    clock: options.clock, random: options.random, identifiers: identifiers, storage: storage,
                    cache: cache, stream: hub, keys: keys, admission: admission,
                    personalData: personalData, directory: options.directory.url, logger: options.logger,
                    isEphemeral: options.isEphemeral,
                    manifest: manifest, exchange: exchange)
            }, exchange: exchange)
        guard registration.faults.isEmpty else { throw PlanError(faults: registration.faults) }

        let readiness = Readiness(
            storage: storage, directory: options.directory.url,
            checks: registration.entries.flatMap(\.registrar.healthChecks))
        let events = EventBus(registration.entries.flatMap(\.registrar.subscriptions))
        let delivery = CommitDelivery(
            cache: cache, events: events, registration.entries.flatMap(\.registrar.invalidations),
            registration.entries.flatMap(\.registrar.followers) + hub.revocations,
            registration.entries.flatMap(\.registrar.joiners))
        storage.observeCommits(join: { try delivery.join($0, $1) }, prepare: { delivery.announce($0) }) { delivery.deliver($0) }
        self.events = events
        hub.freeze(
            frames: FrameTable(
                client: registration.entries.flatMap(\.registrar.clientFrames),
                server: registration.entries.flatMap(\.registrar.serverFrames)),
            observers: exchange.contributions(of: (any ConnectionObserving).self).all)
        let authenticator = exchange.provider(of: (any Authenticating).self)?.value
        let liveness = exchange.provider(of: (any SessionLiveness).self)?.value
        let activity = exchange.provider(of: (any ActivityRecording).self)?.value
        let gateway = StreamGateway(
            hub: hub, configuration: options.configuration.section("stream"), tickets: hub.tickets,
            authenticator: authenticator, liveness: liveness, activity: activity, random: options.random, logger: options.logger,
            hasGenerousLimits: options.isEphemeral)
        self.gateway = gateway
        let streamRoutes = StreamRoutes(gateway: gateway).all
        self.edge = Edge(
            Edge.Parts(
                configuration: options.configuration.section("http"), clock: options.clock, random: options.random,
                storage: storage, keys: keys, logger: options.logger, hasGenerousLimits: options.isEphemeral,
                authenticator: authenticator, liveness: liveness, activity: activity, webSockets: [gateway.route],
                tickets: gateway.tickets),
            routes: registration.routes + registration.operatorRoutes + streamRoutes.map(\.mounted) + readiness.routes
                + Self.documentRoutes(registration, streamRoutes, hub))
        let handlers = Dictionary(
            uniqueKeysWithValues: registration.entries.flatMap(\.registrar.outboxHandlers).map { ($0.topic, $0) })
        self.outbox = OutboxWorker(
            storage: storage, handlers: handlers, clock: options.clock, random: options.random, logger: options.logger,
            metrics: OutboxMetrics(topics: handlers.keys))
        self.hub = hub
        self.storage = storage
        self.cache = cache
        self.plan = plan
        self.options = options
        self.registration = registration
        self.exchange = exchange
        self.readiness = readiness
        self.clockKeeping = ClockKeeping(
            repairs: [{ try await storage.outbox.repairTimes() }]
                + registration.entries.flatMap(\.registrar.timeRepairs),
            clock: options.clock, logger: options.logger)
    }

    var logger: Logger { options.logger }
    private var readings: Readings {
        Readings(
            database: DatabaseReadings(storage: storage, file: options.directory.database),
            outbox: OutboxReadings(storage: storage, clock: options.clock),
            directory: DirectoryReadings(directory: options.directory), logger: logger)
    }
    var inProcessServices: [any Service] { registration.entries.flatMap(\.registrar.services) }

    /// A port that some module provides.
    public func port<Port>(_ type: Port.Type) -> Port? { exchange.provider(of: type)?.value }

    /// The OpenAPI 3.1 document.
    public var openAPI: JSONValue { Self.document(registration, StreamRoutes(gateway: gateway).all).json }

    /// The AsyncAPI 3.0 document of the stream.
    public var asyncAPI: JSONValue { AsyncAPIDocument(frames: hub.frames, version: SparkVersion.text).json }

    /// What each module declared, for `spark modules`.
    public var inventory: [ModuleInventory] {
        registration.entries.map {
            ModuleInventory(
                manifest: $0.manifest, registrar: $0.registrar, namespaces: exchange.namespaces(of: $0.manifest.id))
        }
    }

    /// Every fault of the data: the store's own and the modules' invariants. Empty when sound.
    /// - Parameter isDeep: also asks what takes long.
    public func check(isDeep: Bool = false) throws -> [String] {
        var faults = try storage.check()
        try storage.readNow { database in
            for manifest in plan.manifests {
                for invariant in manifest.invariants where isDeep || !invariant.isDeep {
                    faults += try invariant.check(database).map { "\(manifest.id): \(invariant.name): \($0)" }
                }
            }
        }
        return faults
    }

    /// Loads a demo town into every module that knows how.
    /// - Parameter progress: told the module and how many people it has loaded.
    public func load(_ town: any DemoTown, progress: @escaping @Sendable (String, Int) -> Void) throws {
        options.directory.discardSpill()
        try storage.bulkWrite { database in
            for entry in registration.entries {
                for loader in entry.registrar.demoLoaders {
                    try loader.load(town, database, DemoProgress { progress(loader.module, $0) })
                }
            }
            try database.execute(sql: "PRAGMA optimize")
        }
    }

    /// Serves until told to stop: by SIGTERM, SIGINT or `shutDown`.
    ///
    /// Stopping goes from the outside in: not ready any more, no new connections, requests under way are answered, services end,
    /// waiting writes are committed, the WAL is folded in, the lock is given back.
    /// - Parameters:
    ///   - handlesSignals: false inside another program.
    ///   - onReady: told where the server listens, once every check is green.
    public func run(handlesSignals: Bool, onReady: @escaping @Sendable (Listening) async throws -> Void) async throws {
        let configuration: EdgeConfiguration = options.configuration.section("http")
        let process: ServerConfiguration = options.configuration.section("server")
        guard let (host, port) = configuration.address else {
            throw ConfigurationError(faults: ["http.listen: expected address:port"])
        }
        do {
            try await prepare()
        } catch {
            await close()
            throw error
        }
        let (directory, logger, readiness) = (options.directory, options.logger, readiness)
        let listener = edge.server(host: host, port: port, logger: logger) { actual in
            let listening = Listening(host: host, port: actual, directory: directory.url)
            directory.writePortFile(listening)
            await readiness.modulesAreWell()
            do {
                try await onReady(listening)
            } catch {
                logger.error("announcing failed", metadata: ["error": "\(type(of: error))"])
            }
        }
        let services: [any Service] =
            [events, outbox, clockKeeping, Housekeeping(edge: edge, logger: logger), CacheKeeping(cache: cache), readings]
            + registration.entries.flatMap(\.registrar.services)
            + [listener, StreamService(gateway: gateway, logger: logger), Farewell(readiness: readiness)]
        var group = ServiceGroupConfiguration(
            services: services.map {
                .init(service: $0, successTerminationBehavior: .ignore, failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [], logger: logger)
        group.maximumGracefulShutdownDuration = process.shutdownTimeout
        let running = ServiceGroup(configuration: group)
        self.running.withLock { $0 = running }
        do {
            try await running.run()
        } catch {
            await close()
            throw error
        }
        await close()
    }

    /// Lets each module compare its data with the configuration, in the order of dependencies.
    /// - Throws: `PlanError` for what does not fit.
    package func prepare() async throws {
        let mark = "\(options.random.next())"
        var last = ""
        if options.directory.isOwner {
            let isKnown = try options.directory.note(mark: mark, after: try storage.mark())
            last = try await storage.renewMark(mark)
            let epoch = String(options.random.next(), radix: 36)
            hub.begin(epoch: try await storage.epoch(renewedAs: isKnown ? nil : epoch, orFirst: epoch))
        }
        cache.open(lastMark: last, mark: mark)
        if options.directory.isOwner { await clockKeeping.look() }
        for entry in registration.entries {
            for prepare in entry.registrar.preparations {
                do {
                    try await prepare()
                } catch let fault as ModuleFault {
                    throw PlanError(faults: [fault])
                }
            }
        }
    }

    /// Looks whether the clock was put back, as the running server does once a second.
    package func lookAtClock() async { await clockKeeping.look() }

    /// Lets `run` end gracefully; returns at once.
    public func shutDown() async {
        await running.withLock { $0 }?.triggerGracefulShutdown()
    }

    /// Commits what waits, closes the store and gives the data directory back.
    public func close() async {
        await cache.flush()
        await storage.close()
        await cache.close()
        options.directory.release()
    }

    private static func document(_ registration: Registration, _ streamRoutes: [Route]) -> OpenAPIDocument {
        let stream = StreamManifest.manifest
        return OpenAPIDocument(
            modules: registration.entries.map { entry in
                (entry.manifest.id, entry.manifest.summary, entry.registrar.routes.map(\.mounted))
            } + [(stream.id, stream.summary, streamRoutes.map(\.mounted))], version: SparkVersion.text)
    }

    private static func documentRoutes(_ registration: Registration, _ streamRoutes: [Route], _ hub: Hub) -> [Route] {
        let asyncAPI = AsyncAPIDocument(frames: hub.frames, version: SparkVersion.text).json
        let documents = [
            ("/openapi.json", "The OpenAPI 3.1 document", document(registration, streamRoutes).json),
            ("/asyncapi.json", "The AsyncAPI 3.0 document of the stream", asyncAPI),
        ]
        return documents.map { path, summary, document in
            let bytes = JSONWriter.bytes(of: document)
            return Route(.get, path, summary, access: .open, rateLimit: .probe) { _ in
                Reply(json: bytes, entityTag: SparkVersion.text)
            }
        }
    }
}

/// Where a server listens.
public struct Listening: Sendable {
    public let host: String
    public let port: Int
    public let directory: URL

    public var url: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// The first to hear of a shutdown: the server is not ready any more.
private struct Farewell: Service {
    let readiness: Readiness

    func run() async throws {
        try? await gracefulShutdown()
        readiness.drain()
    }
}
