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

    public let storage: SQLiteStorage
    public let cache: Cache
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

    /// Plans, migrates, constructs and freezes. A server that cannot be gives its data directory back.
    /// - Throws: `PlanError` with every fault of the modules, `StorageOpenError` for the data directory.
    public convenience init(_ options: Options) throws {
        do {
            try self.init(assembling: options, behind: ServerFront(options))
        } catch {
            options.directory.release()
            throw error
        }
    }

    /// The same with the sockets open from the beginning: while the data is opened and brought to today's schema, which may take long,
    /// probes are answered and everything else gets 503. The work is done on a thread of its own.
    /// - Throws: as `init`, and what the system says of the addresses; then nothing is open any more.
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
        // Where the sockets are open already, probes come here in a moment.
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
    /// Opens the operators' rows on the one port of an ephemeral server.
    package var adminToken: String? { front.adminToken }
    private var readings: GaugeSampler {
        GaugeSampler(
            database: DatabaseGauges(storage: storage, file: options.directory.database),
            outbox: OutboxGauges(storage: storage, clock: options.clock),
            directory: DiskGauges(directory: options.directory), logger: logger)
    }
    var inProcessServices: [any Service] { registration.entries.flatMap(\.registrar.services) }

    /// A port that some module provides.
    public func port<Port>(_ type: Port.Type) -> Port? { exchange.provider(of: type)?.value }

    /// The cache tags of a user, of all modules.
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

    /// Loads a demo town into every module that knows how.
    /// - Parameter progress: told the module and how many people it has loaded.
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
        // While the directory is still ours: the next owner's socket has the same name.
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

/// How a server comes to its data.
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
            // An interrupted first start left nothing that anybody will miss.
            backupDirectory: options.isEphemeral || finding.history == .new && !finding.isInUse ? nil : directory.backups)
        configuration.isDurable = !options.isEphemeral
        configuration.mayMigrate = directory.isOwner
        configuration.readOnly = directory.readOnly
        let storage = try SQLiteStorage(configuration, migrations: migrations, clock: options.clock, progress: progress)
        let keeping = DirectoryKeeping(directory, finding: finding, logger: options.logger)
        try keeping.begin(storage)
        return (storage, keys, keeping)
    }

    /// A database that was put into a new directory without a key: its people sign in again.
    private static func isCopyAlone(_ finding: DirectoryFinding, _ directory: DataDirectory) -> Bool {
        finding.marks == nil && !directory.hasKeyFile
    }

    /// Logs the failure of the disk when it happens, and passes it on.
    static func failures(of storage: SQLiteStorage, logger: Logger) -> AsyncStream<StorageFailure> {
        let (stream, continuation) = AsyncStream.makeStream(of: StorageFailure.self, bufferingPolicy: .bufferingOldest(1))
        storage.observeFailure { failure in
            logger.critical(
                "the disk failed: no more is written, and the server ends soon, to be started again",
                metadata: [
                    "operation": .string(failure.operation), "cause": .string(failure.cause), "path": .string(failure.path),
                ])
            continuation.yield(failure)
        }
        return stream
    }

    /// What `check` finds.
    public struct CheckReport: Sendable {
        /// Empty when the data is sound.
        public var faults: [String]
        /// What was not checked, and why.
        public var notes: [String]

        public init(faults: [String], notes: [String]) {
            self.faults = faults
            self.notes = notes
        }
    }

    /// What is wrong with the log of what operators did: its lines among each other, and the newest one beside what `audit.head` says.
    public func auditLogFaults(after faults: [String] = []) throws -> [String] {
        // Before the lines: a server that runs adds some.
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
    /// - Parameter isDeep: also asks what takes long.
    public func check(isDeep: Bool = false) throws -> [String] { try checkReport(isDeep: isDeep).faults }

    /// The same, with what was not checked. Changes nothing.
    public func checkReport(isDeep: Bool = false) throws -> CheckReport {
        var report = CheckReport(faults: try options.directory.faults(), notes: [])
        do {
            try check(isDeep: isDeep, into: &report)
        } catch let error as SQLError {
            // Damage in the way of the check is what the check is for.
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
                "the database is of an older version: the modules' invariants were not checked. spark serve brings it to this one"
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
