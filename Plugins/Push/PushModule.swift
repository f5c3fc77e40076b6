import Foundation
import SparkCore
public import SparkKit
import SparkStorage

/// Tells people's devices what happened while the app is not open: one decision per person and event.
///
/// What happens is noted in the transaction of what it tells (`EventIntake`) and gathers in batches (`PushBatch`). The `Decider` decides
/// those that are due and makes a delivery for each device; a `DispatchLane` a provider brings them away. All that waits is a row, so a
/// crash anywhere loses nothing; texts, badge and whether it is still news are read when a push leaves.
public struct PushModule: SparkModule {
    public typealias Configuration = PushConfiguration

    public static let manifest = ModuleManifest(
        id: "push", summary: "Push to devices: decided once, kept until sent, taken back when no longer news",
        dependencies: ["accounts", "profiles", "matching", "chat"], migrations: PushMigrations.all, tables: PushTables.all,
        reads: [
            "accounts_sessions", "profiles_users", "matching_swipes", "matching_blocks", "chat_conversations", "chat_messages",
        ], metrics: PushMetrics.declarations, invariants: PushInvariants.all)

    private let routes: PushRoutes
    private let intake: EventIntake
    let decider: Decider
    let lanes: [DispatchLane]
    private let watch: OutboxWatch
    let operations: PushOperations
    let active: ForegroundUsers
    private let usefulness: UsefulnessGauge
    private let context: ModuleContext

    public init(configuration: PushConfiguration, context: ModuleContext) throws {
        let store = SQLitePushStore(storage: context.storage)
        let metrics = PushMetrics()
        let unread = try context.port((any UnreadCounting).self)
        let providers = configuration.providers.providers(
            keys: context.keys, keysDirectory: context.directory.appending(path: "keys").path, clock: context.clock)
        let (usefulness, active) = (UsefulnessGauge(), ForegroundUsers())
        let parts = PushPlatform.allCases.map { service in
            (
                service, WakeUp(),
                DispatchLane.Parts(
                    store: store, provider: providers[service], composer: PushComposer(store: store, unread: unread),
                    usefulness: usefulness, clock: context.clock, random: context.random, metrics: metrics,
                    logger: context.logger)
            )
        }
        let decider = Decider(
            store: store, rules: configuration.rules, active: active,
            lanes: Dictionary(uniqueKeysWithValues: parts.map { ($0.0, $0.1) }), wakeUp: WakeUp(), clock: context.clock,
            random: context.random, metrics: metrics, logger: context.logger)
        self.decider = decider
        self.lanes = parts.map { service, wakeUp, parts in
            DispatchLane(service, concurrency: configuration.concurrency, wakeUp: wakeUp, parts: parts)
        }
        self.intake = EventIntake(rules: configuration.rules, wakeUp: decider.wakeUp, metrics: metrics)
        self.watch = OutboxWatch(
            store: store, providers: providers, configured: configuration.providers.configured, clock: context.clock,
            metrics: metrics, logger: context.logger)
        self.operations = PushOperations(
            store: store, providers: providers, unread: unread, clock: context.clock, random: context.random)
        self.routes = PushRoutes(
            service: PushService(
                store: store, providers: configuration.providers, defaultLanguage: configuration.language, clock: context.clock),
            applicationServerKey: providers.applicationServerKey)
        self.usefulness = usefulness
        self.active = active
        self.context = context
    }

    public func register(in registrar: inout ModuleRegistrar) {
        declare(in: &registrar)
        registrar.service(watch)
        registrar.service(decider)
        for lane in lanes { registrar.service(lane) }
        let store = decider.store
        registrar.prepare { try await store.releaseLeases() }
    }

    /// All but what runs by itself.
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
