import Dispatch
public import Foundation
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

/// A server made from modules: planned, migrated, constructed and frozen, but not yet on a socket.
///
/// Boot has five steps: plan (manifests are checked and sorted) → migrate (the store is opened and brought to the current schema)
/// → construct (each module is made and registers) → freeze (router, events and ports become constants) → run. All faults are
/// found and reported together, before requests are let in.
public final class Server: Sendable {
    /// The inputs of a server.
    public struct Options: Sendable {
        /// The compiled-in modules.
        public var modules: [any SparkModule.Type]
        /// The loaded settings.
        public var configuration: LoadedConfiguration
        /// The data directory, which the server releases at the end.
        public var directory: DataDirectory
        /// Whether everything is temporary: commits do not wait for the disk, password hashing is cheap, rate limits are out of
        /// reach.
        public var isEphemeral = false
        /// The source of the time.
        public var clock: any WallClock = SystemWallClock()
        /// The source of random numbers.
        public var random: any RandomSource = SystemRandomSource()
        /// The operator's choices for this start.
        public var start = StartChoices()
        /// The machine from which the limits on clients derive.
        public var machine = AdmissionMachine.current()
        /// The server's log.
        public var logger: Logger
        /// The logger of the access log; `logger` if nil.
        public var accessLogger: Logger?

        /// Options with every other value at its default.
        public init(
            modules: [any SparkModule.Type], configuration: LoadedConfiguration, directory: DataDirectory, logger: Logger
        ) {
            self.modules = modules
            self.configuration = configuration
            self.directory = directory
            self.logger = logger
        }
    }

    /// The store.
    public let storage: SQLiteStorage
    /// The cache.
    public let cache: Cache
    /// The modules in dependency order.
    public let plan: ModulePlan
    let edge: Edge
    let outbox: OutboxWorker
    let events: EventBus
    private let hub: Hub
    private let gateway: StreamGateway
    let options: Options
    private let registration: ModuleRegistrations
    private let exchange: ModuleExchange
    private let readiness: Readiness
    let desk: OperatorDesk
    private let clockKeeping: ClockKeeping
    private let keeping: DirectoryKeeping
    private let failures: AsyncStream<StorageFailure>
    private let front: ServerFront
    private let admissionReport: AdmissionReport
    private let running = Mutex<ServiceGroup?>(nil)

    /// Plans, migrates, constructs and freezes. On failure the data directory is released.
    /// - Throws: `PlanError` with every fault of the modules, `StorageOpenError` for the data directory.
    public convenience init(_ options: Options) throws {
        do {
            try self.init(assembling: options, behind: ServerFront(options))
        } catch {
            options.directory.release()
            throw error
        }
    }

    /// The same with the sockets open from the beginning: while the data is opened and migrated, which may take long, probes are
    /// answered and everything else gets 503. The work runs on its own thread.
    /// - Throws: as `init`, and the system's errors for the addresses; everything is closed again by then.
    public static func launch(_ options: Options) async throws -> Server {
        var front: ServerFront?
        do {
            let made = try ServerFront(options)
            front = made
            try await made.listen()
            return try await withCheckedThrowingContinuation { continuation in
                DispatchQueue(label: "spark.start").async {
                    continuation.resume(with: Result { try Server(assembling: options, behind: made) })
                }
            }
        } catch {
            await front?.close()
            options.directory.release()
            throw error
        }
    }

    private init(assembling options: Options, behind front: ServerFront) throws {
        let (plan, admission) = (front.plan, front.admission)
        let (storage, keys, keeping) = try Self.openData(
            options, migrations: plan.manifests.flatMap(\.migrations), progress: { front.note($0) })
        self.keeping = keeping
        self.failures = Self.failures(of: storage, logger: options.logger)
        let cache = Cache(options.configuration.section("cache"), options: options, keys: keys)
        let exchange = ModuleExchange()
        let identifiers = IdentifierGenerator(clock: options.clock, random: options.random)
        let personalData = PersonalDataRegistry(manifests: [StreamManifest.manifest] + plan.manifests)
        let hub = Hub(storage: storage, clock: options.clock, admission: admission)
        let registration = ModuleRegistrations(
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
        // If the sockets are open already, probes arrive here soon.
        if !front.startGate.isOpen { readiness.begin() }
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
        let gateway = StreamGateway(
            hub: hub, configuration: options.configuration.section("stream"), origins: front.origins, tickets: hub.tickets,
            authenticator: authenticator, liveness: liveness, activity: activity, random: options.random,
            logger: options.logger, hasGenerousLimits: options.isEphemeral)
        self.gateway = gateway
        let streamRoutes = StreamRoutes(gateway: gateway).all
        self.edge = Edge(
            Edge.Parts(
                front: front.edge, storage: storage, keys: keys, authenticator: authenticator, liveness: liveness,
                grants: exchange.provider(of: (any GrantLiveness).self)?.value, activity: activity, webSockets: [gateway.route],
                tickets: gateway.tickets),
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
        self.front = front
        self.admissionReport = AdmissionReport(admission: admission)
    }

    var logger: Logger { options.logger }
    /// The token for the operators' routes on the single port of an ephemeral server.
    package var adminToken: String? { front.adminToken }
    private var readings: GaugeSampler {
        GaugeSampler(
            database: DatabaseGauges(storage: storage, file: options.directory.database),
            outbox: OutboxGauges(storage: storage, clock: options.clock),
            directory: DiskGauges(directory: options.directory), logger: logger)
    }
    var inProcessServices: [any Service] { registration.entries.flatMap(\.registrar.services) }

    /// A port that some module provides; nil if none does.
    public func port<Port>(_ type: Port.Type) -> Port? { exchange.provider(of: type)?.value }

    /// A user's cache tags from all modules.
    package func cacheTags(of user: UserID) -> [CacheTag] { exchange.contributions(of: UserTagKind.self).tags(of: user) }

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

    /// Loads a demo town into every module that supports it.
    /// - Parameter progress: called with the module and the number of people loaded so far.
    public func load(_ town: any DemoTown, progress: @escaping @Sendable (String, Int) -> Void) throws {
        options.directory.discardSpill()
        let isNoted = options.directory.unfinishedWork == nil
        if isNoted { try options.directory.begin(.load) }
        try storage.bulkWrite { session in
            for entry in registration.entries {
                for loader in entry.registrar.demoLoaders {
                    try loader.load(town, session, DemoProgress { progress(loader.module, $0) })
                }
            }
            try session.script("PRAGMA optimize")
        }
        if isNoted { try options.directory.endWork() }
    }

    /// Serves until SIGTERM, SIGINT or `shutDown`.
    ///
    /// The sockets open before anything else: while the server starts, probes are answered, and everything else gets 503 with
    /// `Retry-After`. Shutdown proceeds from the outside in: the server reports "not ready", accepts no connections, answers the
    /// requests in progress, ends the services, commits waiting writes, checkpoints the WAL, and releases the lock.
    /// - Parameters:
    ///   - handlesSignals: false inside another program.
    ///   - onReady: called with the addresses once every health check passes.
    public func run(handlesSignals: Bool, onReady: @escaping @Sendable (Listening) async throws -> Void) async throws {
        let process: ServerConfiguration = options.configuration.section("server")
        let socket = OperatorSocket(directory: options.directory.url, desk: self.desk, logger: self.logger)
        socket.open()
        readiness.begin()
        do {
            let listening = try await front.listen()
            if process.publicURL.isEmpty { desk.listens(at: listening.url) }
            try await prepare()
            try await serve(front.listeners, socket, listening, for: process, handlesSignals: handlesSignals, onReady: onReady)
        } catch {
            await front.close()
            socket.close()
            await close()
            throw error
        }
        // Close while the directory is still locked: the next owner's socket has the same name.
        socket.close()
        await close()
    }

    private func serve(
        _ listeners: [Listener], _ socket: OperatorSocket, _ listening: Listening, for process: ServerConfiguration,
        handlesSignals: Bool,
        onReady: @escaping @Sendable (Listening) async throws -> Void
    ) async throws {
        let announcement = Announcement(
            readiness: readiness, startGate: front.startGate, listening: listening, logger: logger, onReady: onReady)
        let services: [any Service] =
            [
                StorageWatch(failures: failures, logger: logger), events, outbox, clockKeeping,
                IdempotencySweeper(edge: edge, logger: logger),
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

    /// Lets each module compare its data with the configuration, in dependency order.
    /// - Throws: `PlanError` for data that does not fit.
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
    ///   - actor: the requester, for the audit log.
    /// - Throws: the action's refusal, a `ClientError`.
    package func operate(_ action: String, members: JSONValue, actor: String) async throws -> OperatorOutcome {
        try await desk.perform(action, members: members, actor: actor)
    }

    /// The same for a verb that owns the data directory, on a server that was neither prepared nor run. A change makes the last
    /// server's spill files stale, so they are deleted.
    package func operateAlone(_ action: String, members: JSONValue, actor: String) async throws -> OperatorOutcome {
        if desk.actions[action]?.isChanging == true { options.directory.discardSpill() }
        return try await operate(action, members: members, actor: actor)
    }

    /// Checks whether the clock was set back, as the running server does once a second.
    package func lookAtClock() async { await clockKeeping.look() }

    /// Lets `run` end gracefully. Returns at once.
    public func shutDown() async {
        await running.withLock { $0 }?.triggerGracefulShutdown()
    }

    /// Commits waiting writes, closes the store and releases the data directory.
    public func close() async {
        await closeData()
        options.directory.release()
    }

    private func closeData() async {
        await storage.close()
        await cache.close()
        // After a disk failure the next start inspects the directory itself.
        if storage.failure == nil { keeping.end() }
    }

    /// Closes, and then records that bulk work which began before this server was made is complete.
    public func closeAfterWork() async throws {
        await closeData()
        defer { options.directory.release() }
        if let failure = storage.failure { throw failure }
        try options.directory.endWork()
    }

    private static func document(_ registration: ModuleRegistrations, _ streamRoutes: [Route]) -> OpenAPIDocument {
        let stream = StreamManifest.manifest
        return OpenAPIDocument(
            modules: registration.entries.map { entry in
                (entry.manifest.id, entry.manifest.summary, entry.registrar.routes.map(\.mounted))
            } + [(stream.id, stream.summary, streamRoutes.map(\.mounted))], version: SparkVersion.text)
    }

    private static func documentRoutes(_ registration: ModuleRegistrations, _ streamRoutes: [Route], _ hub: Hub) -> [Route] {
        DocumentRoutes(
            openAPI: document(registration, streamRoutes),
            asyncAPI: AsyncAPIDocument(frames: hub.frames, version: SparkVersion.text)
        ).all
    }
}

/// The addresses of a running server.
public struct Listening: Sendable {
    /// The host of the public listener.
    public let host: String
    /// The port of the public listener.
    public let port: Int
    /// The data directory.
    public let directory: URL
    /// The URL of metrics and console; nil when they have no listener of their own.
    public internal(set) var operatorURL: String?
    /// The bearer token for metrics and console on the single port of an ephemeral server.
    public internal(set) var adminToken: String?

    init(host: String, port: Int, directory: URL) {
        self.host = host
        self.port = port
        self.directory = directory
    }

    /// The public URL, `http://host:port`.
    public var url: String { Self.url(host, port) }

    static func url(_ host: String, _ port: Int) -> String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// Waits until the server is ready, lets requests in and calls `onReady`.
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

/// Reports "not ready" as the first step of a shutdown.
private struct Farewell: Service {
    let readiness: Readiness

    func run() async throws {
        try? await gracefulShutdown()
        readiness.drain()
    }
}

extension Logger {
    /// For libraries: their details address their own authors, up to dumps of the whole service tree.
    var forFrameworks: Logger {
        var logger = self
        logger.logLevel = max(logLevel, .notice)
        return logger
    }
}

/// Opening the data.
extension Server {
    static func openData(
        _ options: Options, migrations: [Migration], progress: @escaping @Sendable (MigrationProgress) -> Void
    ) throws -> (SQLiteStorage, ServerKeys, DirectoryKeeping) {
        let directory = options.directory
        let finding = try directory.examine(options.start, isKept: !options.isEphemeral, logger: options.logger)
        let mayMake = directory.isTemporary || !finding.isInUse || options.start.makesNewKey || isCopyAlone(finding, directory)
        let keys = try directory.keys(mayMake: mayMake)
        var configuration = StorageConfiguration(
            file: directory.database,
            // An interrupted first start left nothing worth a backup.
            backupDirectory: options.isEphemeral || finding.history == .new && !finding.isInUse ? nil : directory.backups)
        configuration.isDurable = !options.isEphemeral
        configuration.mayMigrate = directory.isOwner
        configuration.readOnly = directory.readOnly
        let storage = try SQLiteStorage(configuration, migrations: migrations, clock: options.clock, progress: progress)
        let keeping = DirectoryKeeping(directory, finding: finding, logger: options.logger)
        try keeping.begin(storage)
        return (storage, keys, keeping)
    }

    /// Whether a database was copied into a new directory without its key; its users must sign in again.
    private static func isCopyAlone(_ finding: DirectoryFinding, _ directory: DataDirectory) -> Bool {
        finding.marks == nil && !directory.hasKeyFile
    }

    /// Logs a disk failure when it happens, and passes it on.
    static func failures(of storage: SQLiteStorage, logger: Logger) -> AsyncStream<StorageFailure> {
        let (stream, continuation) = AsyncStream.makeStream(of: StorageFailure.self, bufferingPolicy: .bufferingOldest(1))
        storage.observeFailure { failure in
            logger.critical(
                "the disk failed: the server writes nothing more and ends soon, to be started again",
                metadata: [
                    "operation": .string(failure.operation), "cause": .string(failure.cause), "path": .string(failure.path),
                ])
            continuation.yield(failure)
        }
        return stream
    }

    /// The result of `check`.
    public struct CheckReport: Sendable {
        /// Empty when the data is sound.
        public var faults: [String]
        /// What was not checked, and why.
        public var notes: [String]

        /// A report with these faults and notes.
        public init(faults: [String], notes: [String]) {
            self.faults = faults
            self.notes = notes
        }
    }

    /// The faults of the operators' audit log: its chain of lines, and its newest line compared with `audit.head`.
    public func auditLogFaults(after faults: [String] = []) throws -> [String] {
        // Read the head before the lines: a running server adds lines.
        let head = AuditHead.read(in: options.directory.url)
        return try storage.inspectNow { session in
            SQLiteStorage.guarded("audit log", after: faults) {
                var found = try AuditLog.faults(in: session, head: head)
                if head == nil, try AuditLog.count(in: session) > 0 {
                    found.append(
                        "audit log: audit.head, which notes the newest line, is gone or cannot be read: lines at the end may have been cut off"
                    )
                }
                return found
            }
        }
    }

    /// Every fault of the data: the store's own and the modules' invariants. Empty when sound.
    /// - Parameter isDeep: also runs the slow checks.
    public func check(isDeep: Bool = false) throws -> [String] { try checkReport(isDeep: isDeep).faults }

    /// The same with the list of what was not checked. Changes nothing.
    public func checkReport(isDeep: Bool = false) throws -> CheckReport {
        var report = CheckReport(faults: try options.directory.faults(), notes: [])
        do {
            try check(isDeep: isDeep, into: &report)
        } catch let error as SQLError {
            // Damage that stops the check is itself a finding.
            report.faults.append(
                "database: SQLite error \(error.code), \(error.message)")
            report.notes.append("the rest was not checked")
        }
        return report
    }

    private func check(isDeep: Bool, into report: inout CheckReport) throws {
        report.faults += try storage.check()
        let auditLog = try auditLogFaults(after: report.faults)
        guard storage.missingMigrations.isEmpty else {
            report.notes.append(
                "the database is of an older version: the modules' invariants were not checked. spark serve upgrades it"
            )
            return
        }
        report.faults += auditLog
        let found = try storage.inspectNow { [report] session in
            var faults: [String] = []
            for manifest in plan.manifests {
                for invariant in manifest.invariants where isDeep || !invariant.isDeep {
                    faults += SQLiteStorage.guarded("\(manifest.id): \(invariant.name)", after: report.faults + faults) {
                        try invariant.check(session).map { "\(manifest.id): \(invariant.name): \($0)" }
                    }
                }
            }
            return faults
        }
        report.faults += found
    }
}
