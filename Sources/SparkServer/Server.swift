import Crypto
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
/// Everything that can be wrong is found and reported at once, before a socket opens.
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
        /// What the operator asks of this start.
        public var start = StartChoices()
        /// What the bounds on clients are derived from.
        public var machine = AdmissionMachine.current()
        public var logger: Logger
        /// Where the lines of the access log go; the same as `logger` if nil.
        public var accessLogger: Logger?

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
    let options: Options
    private let registration: Registration
    private let exchange: ModuleExchange
    private let readiness: Readiness
    let desk: OperatorDesk
    private let clockKeeping: ClockKeeping
    private let keeping: DirectoryKeeping
    private let failures: AsyncStream<StorageFailure>
    private let startGate: StartGate
    /// Opens the operators' rows on the one port of an ephemeral server.
    package let adminToken: String?
    private let admissionReport: AdmissionReport
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
        let (storage, keys, keeping) = try Self.openData(options, migrations: plan.manifests.flatMap(\.migrations))
        self.keeping = keeping
        self.failures = Self.failures(of: storage, logger: options.logger)
        let cache = Cache(options.configuration.section("cache"), options: options, keys: keys)
        let exchange = ModuleExchange()
        let identifiers = IdentifierGenerator(clock: options.clock, random: options.random)
        let personalData = PersonalDataRegistry(manifests: [StreamManifest.manifest] + plan.manifests)
        let admissionPlan = AdmissionPlan(
            options.configuration, machine: options.machine, isEphemeral: options.isEphemeral)
        guard admissionPlan.faults.isEmpty else { throw ConfigurationError(faults: admissionPlan.faults) }
        let admission = Admission(limits: admissionPlan.limits, clock: options.clock)
        let adminToken = options.isEphemeral ? Self.drawToken() : nil
        let access = try OperatorAccess(
            tokens: [adminToken, options.configuration.text("metrics", "token")].compactMap { $0 },
            isLocal: Self.isOperatorListenerLocal(options.configuration))
        let startGate = StartGate()
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
            registration.entries.flatMap(\.registrar.followers) + [hub.suspensions] + hub.revocations,
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
        let edgeConfiguration: EdgeConfiguration = options.configuration.section("http")
        let streamConfiguration: StreamConfiguration = options.configuration.section("stream")
        let origins = AllowedOrigins(edgeConfiguration.allowedOrigins + streamConfiguration.allowedOrigins)
        let gateway = StreamGateway(
            hub: hub, configuration: streamConfiguration, origins: origins, tickets: hub.tickets,
            authenticator: authenticator, liveness: liveness, activity: activity, admission: admission, random: options.random,
            logger: options.logger, hasGenerousLimits: options.isEphemeral)
        self.gateway = gateway
        let streamRoutes = StreamRoutes(gateway: gateway).all
        self.edge = Edge(
            Edge.Parts(
                configuration: edgeConfiguration, clock: options.clock, random: options.random,
                storage: storage, keys: keys, logger: options.logger, hasGenerousLimits: options.isEphemeral,
                authenticator: authenticator, liveness: liveness, activity: activity, webSockets: [gateway.route],
                tickets: gateway.tickets, origins: origins, accessLog: Self.accessLog(options), admission: admission,
                access: access, startGate: startGate),
            routes: registration.routes + registration.pages + streamRoutes.map(\.mounted)
                + Self.documentRoutes(registration, streamRoutes, hub),
            operatorRoutes: registration.operatorRoutes, probes: readiness.routes)
        let handlers = Dictionary(
            uniqueKeysWithValues: registration.entries.flatMap(\.registrar.outboxHandlers).map { ($0.topic, $0) })
        self.outbox = OutboxWorker(
            storage: storage, handlers: handlers, clock: options.clock, random: options.random, logger: options.logger,
            metrics: OutboxMetrics(topics: handlers.keys))
        let process: ServerConfiguration = options.configuration.section("server")
        let listen = (options.configuration.section("http") as EdgeConfiguration).listen
        self.desk = OperatorDesk(
            actions: registration.entries.flatMap(\.registrar.operatorActions), storage: storage,
            head: AuditHead(directory: options.directory.url),
            publicURL: process.publicURL.isEmpty ? "http://\(listen)" : process.publicURL, logger: options.logger)
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
        self.startGate = startGate
        self.adminToken = adminToken
        self.admissionReport = AdmissionReport(admission: admission)
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

    /// Loads a demo town into every module that knows how.
    /// - Parameter progress: told the module and how many people it has loaded.
    public func load(_ town: any DemoTown, progress: @escaping @Sendable (String, Int) -> Void) throws {
        options.directory.discardSpill()
        let isNoted = options.directory.unfinishedWork == nil
        if isNoted { try options.directory.begin(.load) }
        try storage.bulkWrite { database in
            for entry in registration.entries {
                for loader in entry.registrar.demoLoaders {
                    try loader.load(town, database, DemoProgress { progress(loader.module, $0) })
                }
            }
            try database.execute(sql: "PRAGMA optimize")
        }
        if isNoted { try options.directory.endWork() }
    }

    /// Serves until told to stop: by SIGTERM, SIGINT or `shutDown`.
    ///
    /// The sockets are open before anything else: while the server starts, probes are answered, and everything else gets 503 with
    /// `Retry-After`. Stopping goes from the outside in: not ready any more, no new connections, requests under way are answered,
    /// services end, waiting writes are committed, the WAL is folded in, the lock is given back.
    /// - Parameters:
    ///   - handlesSignals: false inside another program.
    ///   - onReady: told where the server listens, once every check is green.
    public func run(handlesSignals: Bool, onReady: @escaping @Sendable (Listening) async throws -> Void) async throws {
        let process: ServerConfiguration = options.configuration.section("server")
        let socket = OperatorSocket(directory: options.directory.url, desk: self.desk, logger: self.logger)
        socket.open()
        startGate.shut()
        readiness.begin()
        var listeners: [Listener] = []
        do {
            let listening = try await listen(&listeners)
            if process.publicURL.isEmpty { desk.listens(at: listening.url) }
            options.directory.writePortFile(listening)
            try await prepare()
            try await serve(listeners, socket, listening, for: process, handlesSignals: handlesSignals, onReady: onReady)
        } catch {
            for listener in listeners { await listener.close() }
            socket.close()
            await close()
            throw error
        }
        // While the directory is still ours: the next owner's socket has the same name.
        socket.close()
        await close()
    }

    /// Opens the sockets.
    private func listen(_ listeners: inout [Listener]) async throws -> Listening {
        let configuration: EdgeConfiguration = options.configuration.section("http")
        guard let (host, port) = configuration.address else {
            throw ConfigurationError(faults: ["http.listen: \(ListenAddress.expectation)"])
        }
        let listener = try await edge.listen(host: host, port: port, logger: logger)
        listeners.append(listener)
        var listening = Listening(host: host, port: listener.port, directory: options.directory.url)
        listening.adminToken = adminToken
        guard let (operatorHost, wished) = try Self.operatorAddress(options.configuration, isEphemeral: options.isEphemeral)
        else { return listening }
        do {
            let operators = try await edge.listenForOperators(host: operatorHost, port: wished, logger: logger)
            listeners.append(operators)
            listening.operatorURL = Listening.url(operatorHost, operators.port)
        } catch {
            throw StorageOpenError(
                operation: "listen", path: "operator.listen \(operatorHost):\(wished)",
                hint: "the address cannot be bound, perhaps because another server uses it; choose another one with "
                    + "--set operator.listen=127.0.0.1:0, or none with --set operator.listen=")
        }
        return listening
    }

    private func serve(
        _ listeners: [Listener], _ socket: OperatorSocket, _ listening: Listening, for process: ServerConfiguration,
        handlesSignals: Bool,
        onReady: @escaping @Sendable (Listening) async throws -> Void
    ) async throws {
        let announcement = Announcement(
            readiness: readiness, startGate: startGate, listening: listening, logger: logger, onReady: onReady)
        let services: [any Service] =
            [
                StorageWatch(failures: failures, logger: logger), events, outbox, clockKeeping,
                Housekeeping(edge: edge, logger: logger),
                CopyKeeping(directory: options.directory, age: process.backupAge, clock: options.clock, logger: logger),
                CacheKeeping(cache: cache), readings,
            ]
            + registration.entries.flatMap(\.registrar.services) + [socket] + listeners
            + [
                StreamService(
                    gateway: gateway, logger: logger, patience: options.isEphemeral ? .milliseconds(500) : .seconds(5)),
                announcement, Farewell(readiness: readiness),
            ]
        var group = ServiceGroupConfiguration(
            services: services.map {
                .init(service: $0, successTerminationBehavior: .ignore, failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [], logger: logger.forFrameworks)
        group.maximumGracefulShutdownDuration = process.shutdownTimeout
        let running = ServiceGroup(configuration: group)
        self.running.withLock { $0 = running }
        try await running.run()
    }

    /// Where operators find the server. An ephemeral server has one port, unless another is asked for; a server on a port that the
    /// system picks gets such a port for operators, too.
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
        // The default gives way where everybody else's address needs the port.
        guard !isSet, let port = edge.address?.port, port == 0 || port == address.port else { return address }
        return (address.host, 0)
    }

    /// Whether only this machine reaches the operators' listener.
    /// - Throws: `ConfigurationError` when others do and there is no token to keep them out.
    private static func isOperatorListenerLocal(_ configuration: LoadedConfiguration) throws -> Bool {
        let section: OperatorConfiguration = configuration.section("operator")
        guard let host = section.address?.host else { return true }
        if host == "localhost" || OperatorAccess.isLoopback(address: host) { return true }
        guard configuration.text("metrics", "token")?.isEmpty == false else {
            throw ConfigurationError(faults: [
                "operator.listen: \(host) can be reached from other machines; set metrics.token, or listen on 127.0.0.1"
            ])
        }
        return false
    }

    private static func drawToken() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Lets each module compare its data with the configuration, in the order of dependencies.
    /// - Throws: `PlanError` for what does not fit.
    package func prepare() async throws {
        let mark = "\(options.random.next())"
        var (last, next) = ("", mark)
        if options.directory.isOwner {
            let run = try await keeping.beginRun(storage, mark: mark, epoch: String(options.random.next(), radix: 36))
            (last, next) = (run.lastMark, run.mark)
            hub.begin(epoch: run.epoch)
            if keeping.finding.isNewHistory { try await desk.adoptLog() }
        }
        cache.open(lastMark: last, mark: next)
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

    /// Runs an operator action.
    /// - Parameters:
    ///   - action: its name, e.g. `user.suspend`.
    ///   - actor: who asks, for the audit log.
    /// - Throws: what the action refuses, a `ClientError`.
    package func operate(_ action: String, members: JSONValue, actor: String) async throws -> OperatorOutcome {
        try await desk.perform(action, members: members, actor: actor)
    }

    /// The same for a verb that has the data directory to itself: on a server that was neither prepared nor run. What the last server's
    /// cache left on the disk would be old after a change, so it is thrown away.
    package func operateAlone(_ action: String, members: JSONValue, actor: String) async throws -> OperatorOutcome {
        if desk.actions[action]?.isChanging == true { options.directory.discardSpill() }
        return try await operate(action, members: members, actor: actor)
    }

    /// Looks whether the clock was put back, as the running server does once a second.
    package func lookAtClock() async { await clockKeeping.look() }

    /// Lets `run` end gracefully; returns at once.
    public func shutDown() async {
        await running.withLock { $0 }?.triggerGracefulShutdown()
    }

    /// Commits what waits, closes the store and gives the data directory back.
    public func close() async {
        await closeData()
        options.directory.release()
    }

    private func closeData() async {
        await cache.flush()
        await storage.close()
        await cache.close()
        // After a failure of the disk the next start looks for itself.
        if storage.failure == nil { keeping.end() }
    }

    /// Closes, and only then notes that bulk work which began before this server was made is whole.
    public func closeAfterWork() async throws {
        await closeData()
        defer { options.directory.release() }
        if let failure = storage.failure { throw failure }
        try options.directory.endWork()
    }

    private static func document(_ registration: Registration, _ streamRoutes: [Route]) -> OpenAPIDocument {
        let stream = StreamManifest.manifest
        return OpenAPIDocument(
            modules: registration.entries.map { entry in
                (entry.manifest.id, entry.manifest.summary, entry.registrar.routes.map(\.mounted))
            } + [(stream.id, stream.summary, streamRoutes.map(\.mounted))], version: SparkVersion.text)
    }

    /// Where each answered request is noted; nil unless it is asked for.
    private static func accessLog(_ options: Options) -> AccessLog? {
        let process: ServerConfiguration = options.configuration.section("server")
        guard process.hasAccessLog else { return nil }
        var logger = options.accessLogger ?? options.logger
        // A switch of its own: the level of other lines does not silence it.
        logger.logLevel = .info
        return AccessLog(logger: logger)
    }

    private static func documentRoutes(_ registration: Registration, _ streamRoutes: [Route], _ hub: Hub) -> [Route] {
        DocumentRoutes(
            openAPI: document(registration, streamRoutes),
            asyncAPI: AsyncAPIDocument(frames: hub.frames, version: SparkVersion.text)
        ).all
    }
}

/// Where a server listens.
public struct Listening: Sendable {
    public let host: String
    public let port: Int
    public let directory: URL
    /// Where metrics and console are; nil where they have no listener of their own.
    public internal(set) var operatorURL: String?
    /// Opens metrics and console on the one port of an ephemeral server, as bearer token.
    public internal(set) var adminToken: String?

    init(host: String, port: Int, directory: URL) {
        self.host = host
        self.port = port
        self.directory = directory
    }

    public var url: String { Self.url(host, port) }

    static func url(_ host: String, _ port: Int) -> String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// Waits until the server is ready, lets requests in and says so.
private struct Announcement: Service {
    let readiness: Readiness
    let startGate: StartGate
    let listening: Listening
    let logger: Logger
    let onReady: @Sendable (Listening) async throws -> Void

    func run() async throws {
        await readiness.modulesAreWell()
        guard !readiness.isDraining, !Task.isCancelled else { return }
        startGate.open()
        do {
            try await onReady(listening)
        } catch {
            logger.error("announcing failed", metadata: ["error": "\(type(of: error))"])
        }
        try? await gracefulShutdown()
    }
}

/// The first to hear of a shutdown: the server is not ready any more.
private struct Farewell: Service {
    let readiness: Readiness

    func run() async throws {
        try? await gracefulShutdown()
        readiness.drain()
    }
}

extension Logger {
    /// For the libraries below: their details are written for their own authors, up to dumps of the whole tree of services.
    var forFrameworks: Logger {
        var logger = self
        logger.logLevel = max(logLevel, .notice)
        return logger
    }
}
