public import ServiceLifecycle
public import SparkCache
public import SparkCore
public import SparkStorage

/// Takes a module's declarations. Only data and closures are gathered; nothing runs before the server is frozen.
public struct ModuleRegistrar: Sendable {
    /// Which module declares.
    public let module: String
    private let exchange: ModuleExchange

    package private(set) var routes: [Route] = []
    package private(set) var operatorRoutes: [Route] = []
    package private(set) var pages: [Route] = []
    package private(set) var operatorActions: [OperatorAction] = []
    package private(set) var clientFrames: [ClientFrame] = []
    package private(set) var serverFrames: [ServerFrame] = []
    package private(set) var subscriptions: [EventSubscription] = []
    package private(set) var invalidations: [EventInvalidation] = []
    package private(set) var followers: [CommitHook] = []
    package private(set) var joiners: [TransactionHook] = []
    package private(set) var preparations: [@Sendable () async throws -> Void] = []
    package private(set) var timeRepairs: [@Sendable () async throws -> Void] = []
    package private(set) var services: [any Service] = []
    package private(set) var healthChecks: [HealthCheck] = []
    package private(set) var outboxHandlers: [OutboxHandler] = []
    package private(set) var demoLoaders: [DemoLoader] = []
    package private(set) var tagKinds: [CacheTagKind] = []
    package private(set) var ports: [String] = []
    package private(set) var faults: [ModuleFault] = []

    package init(module: String, exchange: ModuleExchange) {
        self.module = module
        self.exchange = exchange
    }

    /// Answers a method and path under `/api/v1`; see `Route`.
    public mutating func route(_ route: Route) { routes.append(route) }

    /// Answers a path outside `/api/v1`, for those who run the server: not part of the API, so in no document of it. The server
    /// decides who may ask: on the operators' listener whoever is on this machine, elsewhere only who has the token.
    package mutating func operatorRoute(_ route: Route) { operatorRoutes.append(route) }

    /// Answers a path outside `/api/v1` with a page for people: open to everybody, not part of the API.
    package mutating func page(_ route: Route) { pages.append(route) }

    /// Does something for those who run the server; see `OperatorAction`.
    public mutating func operatorAction(_ action: OperatorAction) { operatorActions.append(action) }

    /// Answers a frame that clients send over the stream; see `ClientFrame`.
    public mutating func frame(_ frame: ClientFrame) { clientFrames.append(frame) }

    /// Owns a frame that the server sends over the stream; see `ServerFrame`.
    public mutating func frame(_ frame: ServerFrame) { serverFrames.append(frame) }

    /// Hears each event of a type after its commit, one at a time, in order.
    ///
    /// The queue before a subscriber is bounded (8,192); what overflows is dropped and counted, so what must not be lost goes
    /// through the outbox instead.
    public mutating func subscribe<Event: SparkEvent>(
        to type: Event.Type, _ handle: @escaping @Sendable (Event) async -> Void
    ) {
        subscriptions.append(
            EventSubscription(module: module, event: type.name, type: ObjectIdentifier(type)) { event in
                if let event = event as? Event { await handle(event) }
            })
    }

    /// Makes cache entries old when an event is committed: all that depend on one of the tags, before the write is answered.
    ///
    /// - Parameter tags: short and without I/O; runs on the writer's thread, twice.
    public mutating func invalidate<Event: SparkEvent>(
        on type: Event.Type, _ tags: @escaping @Sendable (Event) -> [CacheTag]
    ) {
        invalidations.append(
            EventInvalidation(module: module, event: type.name, type: ObjectIdentifier(type)) { event in
                (event as? Event).map(tags) ?? []
            })
    }

    /// Declares the kinds of cache tags that this module owns. Two kinds that collide refuse the start.
    ///
    /// - Parameter ofUsers: those whose numbers are user identifiers. When an account is erased, entries that depend on them are erased
    ///   in memory and on the disk.
    public mutating func cacheTags(_ kinds: [CacheTagKind] = [], ofUsers: [CacheTagKind] = []) {
        tagKinds += kinds + ofUsers
        for kind in ofUsers { exchange.contribute(UserTagKind.self, UserTagKind(kind)) }
    }

    /// Updates what a module keeps in memory when an event is committed: before the cache is invalidated and before the write is
    /// answered, so a read after the answer sees the new state.
    ///
    /// - Parameter update: short; runs on the writer's thread, and every write waits for it. May read by key.
    public mutating func onCommit<Event: SparkEvent>(_ type: Event.Type, _ update: @escaping @Sendable (Event) -> Void) {
        followers.append(
            CommitHook(module: module, event: type.name, type: ObjectIdentifier(type)) { event in
                if let event = event as? Event { update(event) }
            })
    }

    /// Writes rows of a module in the transaction that publishes an event: both are committed, or neither. For what must not be lost.
    ///
    /// - Parameter write: short; runs on the writer's thread, and every write waits for it. If it throws, the write is rolled back.
    public mutating func inTransaction<Event: SparkEvent>(
        _ type: Event.Type, _ write: @escaping @Sendable (Event, WriteTransaction) throws -> Void
    ) {
        joiners.append(
            TransactionHook(module: module, event: type.name, type: ObjectIdentifier(type)) { event, transaction in
                if let event = event as? Event { try write(event, transaction) }
            })
    }

    /// Answers a question for other modules.
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

    /// Adds to a list that another module opens.
    public mutating func contribute<Element: Sendable>(_ type: Element.Type, _ element: Element) {
        exchange.contribute(type, element)
    }

    /// Runs beside the server until it shuts down.
    public mutating func service(_ service: any Service) { services.append(service) }

    /// Done once before anything runs and before a socket opens: what may find that the data and the configuration do not fit.
    /// Throwing a `ModuleFault` refuses the start.
    public mutating func prepare(_ prepare: @escaping @Sendable () async throws -> Void) { preparations.append(prepare) }

    /// Makes rows harmless that hold times from the future: done at the start, and whenever the server's clock was put back. Whatever
    /// waits for a stored time must not wait longer than it would have under a clock that was right; see `docs/operating/clock.md`.
    ///
    /// Nobody knows whether the clock was wrong before or is wrong now, so a repair makes waits shorter and nothing else: no row may be
    /// lost by it, and nothing that cannot be taken back may come early.
    ///
    /// - Parameter repair: cheap when there is nothing to repair.
    public mutating func repairTimes(_ repair: @escaping @Sendable () async throws -> Void) { timeRepairs.append(repair) }

    /// Asked by `/readyz`; gets a deadline of two seconds.
    public mutating func health(_ name: String, _ check: @escaping @Sendable () async throws -> Void) {
        healthChecks.append(HealthCheck(module: module, name: name, check: check))
    }

    /// Does the durable jobs of a topic, at least once each. Throwing puts the job off and tries again.
    public mutating func outbox(_ topic: String, _ handle: @escaping @Sendable ([UInt8]) async throws -> Void) {
        outboxHandlers.append(OutboxHandler(module: module, topic: topic, handle: handle))
    }

    /// Loads this module's part of a demo town.
    public mutating func demo(_ load: @escaping @Sendable (any DemoTown, SQLSession, DemoProgress) throws -> Void) {
        demoLoaders.append(DemoLoader(module: module, load: load))
    }
}

package struct EventSubscription: Sendable {
    package let module: String
    package let event: String
    package let type: ObjectIdentifier
    package let handle: @Sendable (any SparkEvent) async -> Void
}

package struct EventInvalidation: Sendable {
    package let module: String
    package let event: String
    package let type: ObjectIdentifier
    package let tags: @Sendable (any SparkEvent) -> [CacheTag]
}

package struct CommitHook: Sendable {
    package let module: String
    package let event: String
    package let type: ObjectIdentifier
    package let follow: @Sendable (any SparkEvent) -> Void

    package init(
        module: String, event: String, type: ObjectIdentifier, follow: @escaping @Sendable (any SparkEvent) -> Void
    ) {
        self.module = module
        self.event = event
        self.type = type
        self.follow = follow
    }
}

package struct TransactionHook: Sendable {
    package let module: String
    package let event: String
    package let type: ObjectIdentifier
    package let join: @Sendable (any SparkEvent, WriteTransaction) throws -> Void
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
