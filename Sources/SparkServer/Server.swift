import Dispatch
public import Foundation
import HTTPTypes
public import Logging
import ServiceLifecycle
import SparkBackup
public import SparkCache
public import SparkCore
import SparkHTTP
public import SparkKit
public import SparkStorage
import SparkStream
import SparkTelemetry
import Synchronization
import UnixSignals

/// A server made from modules: planned, migrated, constructed and frozen, but not yet on a socket.
///
/// Boot goes from value to value: `BootPlan` (manifests are checked and sorted) → `OpenData` (the store is opened and brought to the
/// current schema) → `ConstructedModules` (each module is made and registers) → `FrozenServer` (router, events and ports become
/// constants) → `ServerRun`. All faults are found and reported together, before requests are let in.
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
        /// Whether an ephemeral server with the module `fixture` lets the test that started it look in and steer it, below
        /// `/__test__`. Other servers never do.
        public var hasFixture = true
        /// The source of the time.
        public var clock: any WallClock = SystemWallClock()
        /// The source of random numbers.
        public var random: any RandomSource = SystemRandomSource()
        /// What happens with the archive, if the configuration has one.
        public var archive = ArchiveUse.begins
        /// Runs drills of the backups; nil for a program that has none.
        public var drill: (any DrillRunning)?
        /// What a server for tests begins with; nil for nobody.
        public var scenario: (any ScenarioLoading)?
        /// Starts clones of a server for tests; nil for a program that cannot.
        public var cloning: (any ServerCloning)?
        /// What another server handed to this clone of it; nil for a server that is none.
        public var carried: JSONValue?
        /// The operator's choices for this start.
        public var start = StartChoices()
        /// The machine from which the limits on clients derive.
        public var machine = AdmissionMachine.current()
        /// The server's log.
        public var logger: Logger
        /// The sockets that the process was started with.
        package var sockets = ActivatedSockets.none
        /// The logger of the access log; `logger` if nil.
        public var accessLogger: Logger?

        /// Whether the server is one that a test steers.
        var isFixture: Bool { isEphemeral && hasFixture && modules.contains { $0.manifest.isForFixtures } }

        /// What a server does with the archive.
        public enum ArchiveUse: Sendable {
            /// Archives every commit.
            case begins
            /// Archives commits if a server has archived the directory before: a restored copy that was never served is not in its
            /// place yet. For verbs.
            case continues
            /// Archives nothing.
            case none
        }

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

    let options: Options
    private let front: ServerFront
    private let data: OpenData
    let modules: ConstructedModules
    private let frozen: FrozenServer
    private let admissionReport: AdmissionReport
    /// Ends `run`, also when it was requested before the services run.
    private let stop = StopRequest()

    /// Plans, opens the data, constructs and freezes. On failure the data directory is released.
    /// - Throws: `PlanError` with every fault of the modules, `StorageOpenError` for the data directory.
    public convenience init(_ options: Options) throws {
        do {
            try self.init(behind: ServerFront(BootPlan(options)))
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
            let made = ServerFront(try BootPlan(options))
            front = made
            try await made.listen()
            return try await withCheckedThrowingContinuation { continuation in
                DispatchQueue(label: "spark.start").async {
                    continuation.resume(with: Result { try Server(behind: made) })
                }
            }
        } catch {
            await front?.close()
            options.directory.release()
            throw error
        }
    }

    private init(behind front: ServerFront) throws {
        let plan = front.plan
        let data = try OpenData(plan) { front.note($0) }
        let modules = try ConstructedModules(plan, data)
        self.frozen = FrozenServer(modules, archive: data.archive, behind: front)
        self.options = plan.options
        self.front = front
        self.data = data
        self.modules = modules
        self.admissionReport = AdmissionReport(admission: plan.admission)
    }

    /// The store.
    public var storage: SQLiteStorage { data.storage }
    /// The cache.
    public var cache: Cache { modules.surroundings.cache }
    /// The modules in dependency order.
    public var plan: ModulePlan { front.plan.modules }
    var edge: Edge { frozen.edge }
    var outbox: OutboxWorker { frozen.outbox }
    var events: EventBus { frozen.events }
    private var desk: OperatorDesk { frozen.desk }
    var logger: Logger { options.logger }
    /// The token for the operators' routes on the single port of an ephemeral server.
    package var adminToken: String? { front.plan.adminToken }
    /// Where a test looks in and steers; nil in ordinary servers.
    package var fixture: FixtureHooks? { front.plan.fixture }
    /// Moves the clock of an ephemeral server; nil in every other server.
    var fixtureTime: FixtureTime? { front.plan.fixtureTime }
    /// The same for users of the library.
    public var clockControl: (any ClockControl)? { fixtureTime }
    var inProcessServices: [any Service] { modules.all(\.services) }

    /// A port that some module provides; nil if none does.
    public func port<Port>(_ type: Port.Type) -> Port? { modules.port(type) }

    /// A user's cache tags from all modules.
    package func cacheTags(of user: UserID) -> [CacheTag] { modules.exchange.contributions(of: UserTagKind.self).tags(of: user) }

    /// The OpenAPI 3.1 document.
    public var openAPI: JSONValue { frozen.openAPI.json }

    /// The AsyncAPI 3.0 document of the stream.
    public var asyncAPI: JSONValue { frozen.asyncAPI.json }

    /// What each module declared, for `spark modules`.
    public var inventory: [ModuleInventory] {
        modules.registrations.entries.map {
            ModuleInventory(
                manifest: $0.manifest, registrar: $0.registrar, namespaces: modules.exchange.namespaces(of: $0.manifest.id))
        }
    }

    /// Loads a demo town into every module that supports it.
    /// - Parameter progress: called with the module and the number of people loaded so far.
    public func load(_ town: any DemoTown, progress: @escaping @Sendable (String, Int) -> Void) throws {
        options.directory.discardDerived()
        let isNoted = options.directory.unfinishedWork == nil
        if isNoted { try options.directory.begin(.load) }
        try storage.bulkWrite { session in
            for entry in modules.registrations.entries {
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
        let socket = OperatorSocket(directory: options.directory.url, desk: desk, logger: logger)
        socket.open()
        frozen.readiness.begin()
        do {
            let listening = try await front.listen()
            if process.publicURL.isEmpty { desk.listens(at: listening.url) }
            try await loadTown()
            try await prepare()
            let run = ServerRun(
                data, modules, frozen, front, socket, listening, stop, begin: { [self] in try await beginFixture() },
                handlesSignals: handlesSignals, onReady: onReady)
            try await run.group.run()
        } catch {
            await front.close()
            socket.close()
            await close()
            throw error
        }
        await conclude()
        // Close while the directory is still locked: the next owner's socket has the same name.
        socket.close()
        await close()
    }

    /// Lets each module compare its data with the configuration, in dependency order.
    /// - Throws: `PlanError` for data that does not fit.
    package func prepare() async throws {
        let mark = "\(options.random.next())"
        var (last, next) = ("", mark)
        if options.directory.isOwner {
            let run = try await data.keeping.beginRun(storage, mark: mark, epoch: String(options.random.next(), radix: 36))
            (last, next) = (run.lastMark, run.mark)
            modules.surroundings.hub.begin(epoch: run.epoch)
            if data.keeping.finding.isNewHistory { try await desk.adoptLog() }
        }
        cache.open(lastMark: last, mark: next)
        if options.directory.isOwner { await frozen.clockKeeping.look() }
        for entry in modules.registrations.entries {
            for prepare in entry.registrar.preparations {
                do {
                    try await prepare()
                } catch let fault as ModuleFault {
                    throw PlanError(faults: [fault])
                }
            }
        }
    }

    /// Loads the crowd of the scenario, on a thread of its own.
    private func loadTown() async throws {
        guard let town = options.scenario?.town(at: options.clock.now()) else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue(label: "spark.scenario").async { [self] in
                continuation.resume(with: Result { try load(town) { _, _ in } })
            }
        }
    }

    /// Loads the people of the scenario and keeps the state that the server for tests begins with. Does nothing on every other server,
    /// and where no module serves snapshots.
    package func beginFixture() async throws {
        guard let states = frozen.states, let fixture = modules.surroundings.fixture else { return }
        if let carried = options.carried { try await states.take(carried) }
        if let scenario = options.scenario {
            // Not ready while it is loaded.
            frozen.readiness.begin()
            try await scenario.load(into: EarlyServer(server: self, people: fixture.people))
            await frozen.readiness.modulesAreWell()
        }
        guard !modules.all(\.fixtureRoutes).isEmpty else { return }
        try await states.begin()
        fixture.begin(states)
    }

    /// Lets each module save what the next start can use.
    package func conclude() async {
        guard options.directory.isOwner, storage.failure == nil else { return }
        for entry in modules.registrations.entries {
            for conclude in entry.registrar.conclusions { await conclude() }
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

    /// The same for a verb that owns the data directory, on a server that was neither prepared nor run. A change makes stale
    /// what the last server derived from the database, so it is deleted.
    package func operateAlone(_ action: String, members: JSONValue, actor: String) async throws -> OperatorOutcome {
        if desk.actions[action]?.isChanging == true { options.directory.discardDerived() }
        return try await operate(action, members: members, actor: actor)
    }

    /// Checks whether the clock was set back, as the running server does once a second.
    package func lookAtClock() async { await frozen.clockKeeping.look() }

    /// Lets `run` end gracefully. Returns at once. Before `run` it lets a later `run` end before the server is announced.
    public func shutDown() async { stop.request() }

    /// Commits waiting writes, closes the store and releases the data directory.
    public func close() async {
        await closeData()
        options.directory.release()
    }

    private func closeData() async {
        front.plan.fixture?.detach()
        fixtureTime?.end()
        await storage.close()
        await frozen.archive?.finish(isWell: storage.failure == nil)
        await cache.close()
        // After a disk failure the next start inspects the directory itself.
        if storage.failure == nil { data.keeping.end() }
    }

    /// Closes, and then records that bulk work which began before this server was made is complete.
    public func closeAfterWork() async throws {
        await closeData()
        defer { options.directory.release() }
        if let failure = storage.failure { throw failure }
        try options.directory.endWork()
    }
}

/// The addresses of a running server.
public struct Listening: Sendable {
    /// The host of the public listener.
    public let host: String
    /// The port of the public listener.
    public let port: Int
    /// Whether the public listener speaks HTTPS.
    public let isSecure: Bool
    /// The data directory.
    public let directory: URL
    /// The URL at which plain HTTP is redirected to HTTPS; nil for nowhere.
    public internal(set) var redirectURL: String?
    /// The URL of metrics and console; nil when they have no listener of their own.
    public internal(set) var operatorURL: String?
    /// The bearer token for metrics and console on the single port of an ephemeral server.
    public internal(set) var adminToken: String?

    init(host: String, port: Int, isSecure: Bool, directory: URL) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
        self.directory = directory
    }

    /// The public URL, `http://host:port` or `https://host:port`.
    public var url: String { Self.url(host, port, isSecure: isSecure) }

    static func url(_ host: String, _ port: Int, isSecure: Bool = false) -> String {
        "\(isSecure ? "https" : "http")://\(ListenAddress(host: host, port: port).text)"
    }
}

/// Checks of the data.
extension Server {
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
        var report = CheckReport(
            faults: try options.directory.faults() + ArchiveSpoolCheck.faults(in: options.directory.archive), notes: [])
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
            if try storage.hasTables() {
                report.notes.append(
                    "the database is of an older version: the modules' invariants were not checked. spark serve upgrades it"
                )
            }
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
