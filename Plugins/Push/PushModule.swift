import Foundation
import SparkCore
public import SparkKit
import SparkStorage

/// Sends pushes about events while the app is not open: one decision per person and event.
///
/// `EventIntake` records an event in the event's own transaction; events gather in batches (`PushBatch`). The `Decider` decides
/// due batches and creates a delivery per device. One `DispatchLane` per provider sends them. Everything pending is a row, so a
/// crash loses nothing. Texts, badge and whether the event is still news are read when a push is sent.
public struct PushModule: SparkModule {
    /// The section `push`.
    public typealias Configuration = PushConfiguration

    /// What the module declares before it starts: identifier, migrations, tables, metrics and invariants.
    public static let manifest = ModuleManifest(
        id: "push", summary: "Push to devices: decided once, kept until sent, withdrawn when outdated",
        dependencies: ["accounts", "profiles", "matching", "chat"], migrations: PushMigrations.all, tables: PushTables.all,
        reads: [
            "accounts_sessions", "profiles_users", "matching_swipes", "matching_blocks", "chat_conversations", "chat_messages",
        ], metrics: PushMetrics.declarations, invariants: PushInvariants.all)

    private let routes: PushRoutes
    private let intake: EventIntake
    let decider: Decider
    let lanes: [DispatchLane]
    private let watch: OutboxWatch
    private let operations: PushOperations
    let active: ForegroundUsers
    private let usefulness: UsefulnessGauge
    private let context: ModuleContext

    /// Builds the store, the providers and the lanes from the configuration and the server's context.
    /// - Throws: when a setting or a dependency cannot be used.
    public init(configuration: PushConfiguration, context: ModuleContext) throws {
        let store = SQLitePushStore(storage: context.storage)
        let metrics = PushMetrics()
        let unread = try context.port((any UnreadCounting).self)
        let providers = configuration.providers.providers(
            keys: context.keys, keysDirectory: context.directory.appending(path: "keys").path, clock: context.clock,
            isFixture: context.fixture != nil)
        let rules = configuration.rules.forFixture(context.fixture != nil)
        let (usefulness, active) = (UsefulnessGauge(), ForegroundUsers())
        let parts = PushPlatform.allCases.map { service in
            (
                service, WakeUp(),
                DispatchLane.Parts(
                    store: store, provider: providers[service], composer: PushComposer(store: store, unread: unread),
                    usefulness: usefulness, clock: context.clock, random: context.random, metrics: metrics,
                    logger: context.logger, fixture: context.fixture)
            )
        }
        let decider = Decider(
            store: store, rules: rules, active: active,
            lanes: Dictionary(uniqueKeysWithValues: parts.map { ($0.0, $0.1) }), wakeUp: WakeUp(), clock: context.clock,
            random: context.random, metrics: metrics, logger: context.logger)
        self.decider = decider
        self.lanes = parts.map { service, wakeUp, parts in
            DispatchLane(service, concurrency: configuration.concurrency, wakeUp: wakeUp, parts: parts)
        }
        self.intake = EventIntake(rules: rules, wakeUp: decider.wakeUp, metrics: metrics)
        self.watch = OutboxWatch(
            store: store, providers: providers, configured: configuration.providers.configured, clock: context.clock,
            metrics: metrics, logger: context.logger)
        self.operations = PushOperations(
            store: store, providers: providers, unread: unread, clock: context.clock, random: context.random,
            fixture: context.fixture)
        self.routes = PushRoutes(
            service: PushService(
                store: store, providers: configuration.providers, defaultLanguage: configuration.language, clock: context.clock),
            applicationServerKey: providers.applicationServerKey)
        self.usefulness = usefulness
        self.active = active
        self.context = context
    }

    /// Registers the module's routes, ports, hooks and background services.
    public func register(in registrar: inout ModuleRegistrar) {
        declare(in: &registrar)
        registrar.service(watch)
        registrar.service(decider)
        for lane in lanes { registrar.service(lane) }
        for work in [watch.work, decider.work] + lanes.map(\.work) { registrar.timed(work) }
        let store = decider.store
        registrar.prepare { try await store.releaseLeases() }
        active.register(in: &registrar)
        usefulness.register(in: &registrar)
        for lane in lanes { lane.register(in: &registrar) }
        registrar.onRestore { [decider, lanes] in
            // Deliveries that were under way at the time of the snapshot are sent again.
            try await store.releaseLeases()
            decider.wakeUp.signal()
            for lane in lanes { lane.lookAgain() }
        }
    }

    /// Registers everything but the background services.
    func declare(in registrar: inout ModuleRegistrar) {
        for route in routes.all { registrar.route(route) }
        registrar.provide((any PushOperating).self, operations)
        let (store, rules, wakeUp) = (decider.store, decider.rules, decider.wakeUp)
        registrar.repairTimes {
            try await store.repairTimes(rules: rules)
            wakeUp.signal()
        }
        registrar.contribute((any ConnectionObserving).self, active)

        let intake = intake
        registrar.inTransaction(MessageSent.self) { try intake.sent($0, in: $1) }
        registrar.inTransaction(MatchCreated.self) { try intake.matched($0, in: $1) }
        registrar.inTransaction(LikeReceived.self) { try intake.liked($0, in: $1) }
        registrar.inTransaction(SessionRevoked.self) { try DeviceRows.removeAll(of: $0.session, in: $1.session) }
        let (usefulness, clock, metrics) = (usefulness, context.clock, watch.metrics)
        registrar.onCommit(ConversationRead.self) { event in
            let conversation = event.conversation.rawValue
            if usefulness.wasJustSent(to: event.user, conversation: conversation, at: clock.now()) { metrics.wasUseless() }
        }
    }
}
