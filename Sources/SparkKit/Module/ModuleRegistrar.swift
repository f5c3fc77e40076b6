public import ServiceLifecycle
public import SparkCache
public import SparkCore
public import SparkStorage

/// Collects a module's declarations: only data and closures. Nothing runs until all modules have registered.
public struct ModuleRegistrar: Sendable {
    /// The identifier of the module that registers.
    public let module: String
    private let exchange: ModuleExchange

    package private(set) var routes: [Route] = []
    package private(set) var operatorRoutes: [Route] = []
    package private(set) var fixtureRoutes: [Route] = []
    package private(set) var pages: [Route] = []
    package private(set) var operatorActions: [OperatorAction] = []
    package private(set) var clientFrames: [ClientFrame] = []
    package private(set) var serverFrames: [ServerFrame] = []
    package private(set) var eventHooks: [EventHook] = []
    package private(set) var preparations: [@Sendable () async throws -> Void] = []
    package private(set) var conclusions: [@Sendable () async -> Void] = []
    package private(set) var timeRepairs: [@Sendable () async throws -> Void] = []
    package private(set) var services: [any Service] = []
    package private(set) var timedWorks: [TimedWork] = []
    package private(set) var healthChecks: [HealthCheck] = []
    package private(set) var outboxHandlers: [OutboxHandler] = []
    package private(set) var demoLoaders: [DemoLoader] = []
    package private(set) var fixtureStates: [FixtureState] = []
    package private(set) var carriedStates: [CarriedState] = []
    package private(set) var restoreHooks: [@Sendable () async throws -> Void] = []
    package private(set) var tagKinds: [CacheTagKind] = []
    package private(set) var ports: [String] = []
    package private(set) var faults: [ModuleFault] = []

    package init(module: String, exchange: ModuleExchange) {
        self.module = module
        self.exchange = exchange
    }

    /// Serves a method and path under `/api/v1`; see `Route`.
    public mutating func route(_ route: Route) { routes.append(route) }

    /// Serves a path outside `/api/v1` for operators. It is not part of the API documents. On the operators' listener everybody
    /// on this machine may call it; on other listeners the caller needs the operators' token.
    package mutating func operatorRoute(_ route: Route) { operatorRoutes.append(route) }

    /// Serves a path below `/__test__` to the test that started an ephemeral server, with the token of the ready line. It is part
    /// of that server's OpenAPI document.
    package mutating func fixtureRoute(_ route: Route) { fixtureRoutes.append(route.mounted(below: FixturePath.prefix)) }

    /// Serves a page outside `/api/v1` for people. It is open to everybody and not part of the API documents.
    package mutating func page(_ route: Route) { pages.append(route) }

    /// Adds an action that operators run by name; see `OperatorAction`.
    public mutating func operatorAction(_ action: OperatorAction) { operatorActions.append(action) }

    /// Handles a frame that clients send over the stream; see `ClientFrame`.
    public mutating func frame(_ frame: ClientFrame) { clientFrames.append(frame) }

    /// Declares a frame that the server sends over the stream; see `ServerFrame`.
    public mutating func frame(_ frame: ServerFrame) { serverFrames.append(frame) }

    /// Calls a handler for each event of a type after its commit, one event at a time, in commit order.
    ///
    /// The subscriber's queue is bounded (8,192 events). Events that do not fit are dropped and counted, so work that must not
    /// be lost goes through the outbox.
    public mutating func subscribe<Event: SparkEvent>(
        to type: Event.Type, _ handle: @escaping @Sendable (Event) async -> Void
    ) {
        hook(type, .subscription { event in if let event = event as? Event { await handle(event) } })
    }

    /// Invalidates cache entries when an event is committed: all entries that depend on one of the tags, before the write is
    /// answered.
    ///
    /// - Parameter tags: Returns the tags. Must be short and do no I/O: it runs on the writer's thread, twice for each event.
    public mutating func invalidate<Event: SparkEvent>(
        on type: Event.Type, _ tags: @escaping @Sendable (Event) -> [CacheTag]
    ) {
        hook(type, .invalidation { event in (event as? Event).map(tags) ?? [] })
    }

    /// Declares the kinds of cache tags that this module owns. The server does not start if two kinds collide.
    ///
    /// - Parameters:
    ///   - kinds: All other kinds.
    ///   - ofUsers: Kinds whose numbers are user identifiers. Erasing an account also erases the entries that depend on them,
    ///     in memory and on disk.
    public mutating func cacheTags(_ kinds: [CacheTagKind] = [], ofUsers: [CacheTagKind] = []) {
        tagKinds += kinds + ofUsers
        for kind in ofUsers { exchange.contribute(UserTagKind.self, UserTagKind(kind)) }
    }

    /// Updates a module's state in memory when an event is committed. The update runs before the cache is invalidated and
    /// before the write is answered, so a read after the answer sees the new state.
    ///
    /// - Parameter update: Must be short: it runs on the writer's thread, and every write waits for it. It may read rows by
    ///   key.
    public mutating func onCommit<Event: SparkEvent>(_ type: Event.Type, _ update: @escaping @Sendable (Event) -> Void) {
        hook(type, .onCommit { event in if let event = event as? Event { update(event) } })
    }

    /// Writes a module's rows in the transaction that publishes an event, so both are committed or neither is. Use it for rows
    /// that must not be lost.
    ///
    /// - Parameter write: Must be short: it runs on the writer's thread, and every write waits for it. If it throws, the write
    ///   that published the event is rolled back.
    public mutating func inTransaction<Event: SparkEvent>(
        _ type: Event.Type, _ write: @escaping @Sendable (Event, WriteTransaction) throws -> Void
    ) {
        hook(type, .inTransaction { event, transaction in if let event = event as? Event { try write(event, transaction) } })
    }

    private mutating func hook<Event: SparkEvent>(_ type: Event.Type, _ action: EventHook.Action) {
        eventHooks.append(EventHook(module: module, type, action))
    }

    /// Provides a port to other modules. Boot reports a `ModuleFault` if `value` is not a `Port` or if another module provides
    /// the port already.
    public mutating func provide<Port>(_ type: Port.Type, _ value: any Sendable) {
        ports.append("\(type)")
        guard value is Port else {
            faults.append(ModuleFault(module: module, "provides a value for \(type) that is none"))
            return
        }
        if !exchange.provide(type, value, by: module) {
            faults.append(ModuleFault(module: module, "provides \(type), which another module provides already"))
        }
    }

    /// Adds an element to a list that another module opens.
    public mutating func contribute<Element: Sendable>(_ type: Element.Type, _ element: Element) {
        exchange.contribute(type, element)
    }

    /// Runs a service next to the server until the server shuts down. Work that runs at intervals, or when something falls due, is
    /// registered with `timed` instead.
    public mutating func service(_ service: any Service) { services.append(service) }

    /// Runs work at its times until the server shuts down; see `TimedWork`.
    public mutating func timed(_ work: TimedWork) { timedWorks.append(work) }

    /// Runs once at the start, before services run and before a socket opens. Use it to check that the data and the
    /// configuration fit. To refuse the start, throw a `ModuleFault`.
    public mutating func prepare(_ prepare: @escaping @Sendable () async throws -> Void) { preparations.append(prepare) }

    /// Runs once at the end of a server that was prepared and stops in order, after all services and requests have ended and before
    /// the store closes. It does not run after a failure or a kill, so use it only for what may be missing at the next start.
    public mutating func conclude(_ conclude: @escaping @Sendable () async -> Void) { conclusions.append(conclude) }

    /// Repairs rows with times in the future, at the start and whenever the server's clock is set back. After the repair,
    /// nothing that waits for a stored time waits longer than under a correct clock; see `docs/operating/clock.md`.
    ///
    /// The server cannot know whether the clock was wrong before or is wrong now. A repair may therefore only shorten waits: it
    /// must not lose rows or cause an irreversible step to happen early.
    ///
    /// - Parameter repair: Must be cheap when there is nothing to repair.
    public mutating func repairTimes(_ repair: @escaping @Sendable () async throws -> Void) { timeRepairs.append(repair) }

    /// Adds a check to `/readyz`. The check fails if it throws or takes longer than two seconds.
    public mutating func health(_ name: String, _ check: @escaping @Sendable () async throws -> Void) {
        healthChecks.append(HealthCheck(module: module, name: name, check: check))
    }

    /// Runs the durable jobs of a topic, each at least once. A job whose handler throws is tried again later.
    public mutating func outbox(_ topic: String, _ handle: @escaping @Sendable ([UInt8]) async throws -> Void) {
        outboxHandlers.append(OutboxHandler(module: module, topic: topic, handle: handle))
    }

    /// Makes a state in memory part of the snapshots of a server for tests. The database and the cache are part of them anyway.
    ///
    /// - Parameters:
    ///   - capture: Copies the state. Runs on the writer's thread between two commits, like `restore`; both must be short.
    ///   - restore: Puts a copy in the state's place. The database has its earlier state by then, and no request has read it.
    public mutating func fixtureState<Value: Sendable>(
        capture: @escaping @Sendable () -> Value, restore: @escaping @Sendable (Value) -> Void
    ) {
        fixtureStates.append(FixtureState(module: module, capture: capture, restore: restore))
    }

    /// Makes a state in memory part of the snapshots of a server for tests in that a restored snapshot begins without it: it only saves
    /// work, or belongs to connections that end then.
    public mutating func fixtureState(forget: @escaping @Sendable () -> Void) {
        fixtureStates.append(FixtureState(module: module, capture: { true }, restore: { (_: Bool) in forget() }))
    }

    /// Runs after a snapshot was restored on a server for tests, before the next request. May read and write; use it to wake what
    /// waits for rows.
    public mutating func onRestore(_ restored: @escaping @Sendable () async throws -> Void) { restoreHooks.append(restored) }

    /// Hands a state to the clones of a server for tests. A clone has the database, but no memory of this process.
    /// - Parameters:
    ///   - name: Unique in the server.
    ///   - take: Runs in the clone before it is ready.
    public mutating func carry(
        _ name: String, export: @escaping @Sendable () -> JSONValue, take: @escaping @Sendable (JSONValue) throws -> Void
    ) {
        carriedStates.append(CarriedState(name: name, export: export, take: take))
    }

    /// Loads this module's part of a demo town.
    public mutating func demo(_ load: @escaping @Sendable (any DemoTown, SQLSession, DemoProgress) throws -> Void) {
        demoLoaders.append(DemoLoader(module: module, load: load))
    }
}

/// What a module does with the events of one type.
package struct EventHook: Sendable {
    /// The points on an event's way, each with what happens there. Every action gets only events of the hook's type.
    package enum Action: Sendable {
        /// Before the commit, in the transaction. If it throws, the write is rolled back.
        case inTransaction(@Sendable (any SparkEvent, WriteTransaction) throws -> Void)
        /// After the commit, before the write is answered.
        case onCommit(@Sendable (any SparkEvent) -> Void)
        /// The cache tags to raise with the commit.
        case invalidation(@Sendable (any SparkEvent) -> [CacheTag])
        /// After the commit, from a queue.
        case subscription(@Sendable (any SparkEvent) async -> Void)
    }

    package let module: String
    /// The name of the event.
    package let event: String
    package let type: ObjectIdentifier
    package let action: Action

    /// Whether the event arrives from a queue.
    package var isSubscription: Bool { if case .subscription = action { true } else { false } }

    package init<Event: SparkEvent>(module: String, _ type: Event.Type, _ action: Action) {
        self.module = module
        self.event = type.name
        self.type = ObjectIdentifier(type)
        self.action = action
    }
}

package struct HealthCheck: Sendable {
    package let module: String
    package let name: String
    package let check: @Sendable () async throws -> Void
}

package struct OutboxHandler: Sendable {
    package let module: String
    package let topic: String
    package let handle: @Sendable ([UInt8]) async throws -> Void
}

package struct DemoLoader: Sendable {
    package let module: String
    package let load: @Sendable (any DemoTown, SQLSession, DemoProgress) throws -> Void
}
