import SparkCore
public import SparkKit

/// Chat between matches: conversations, messages, receipts, typing, presence and unread counts.
public struct ChatModule: SparkModule {
    public typealias Configuration = ChatConfiguration

    /// What the module declares: its dependencies, tables, metrics and invariants.
    public static let manifest = ModuleManifest(
        id: "chat", summary: "Conversations, messages, receipts, typing, presence and unread",
        dependencies: ["accounts", "profiles", "matching"], migrations: ChatMigrations.all, tables: ChatTables.all,
        reads: ["profiles_users", "matching_matches", "matching_reports"], metrics: ChatMetrics.declarations,
        invariants: ChatInvariants.all)

    let service: ChatService
    let store: SQLiteChatStore
    let held: HeldMessages
    let retention: Retention
    private let cursors: CursorCodec

    /// Builds the services of the module.
    /// - Throws: the errors of missing ports and of cache namespaces.
    public init(configuration: ChatConfiguration, context: ModuleContext) throws {
        let policies = context.contributions((any MessagePolicy).self)
        let quota = MessageQuota(limits: context.isEphemeral ? configuration.quota.generous : configuration.quota)
        let store = SQLiteChatStore(
            storage: context.storage, stream: context.stream, rules: configuration.rules, policies: policies, quota: quota)
        let metrics = ChatMetrics()
        let writer = MessageWriter(
            stream: context.stream, identifiers: context.identifiers, policies: policies,
            liveness: try context.port((any SessionLiveness).self), metrics: metrics, quota: quota)
        let profiles = try context.port((any ProfileReading).self)
        self.store = store
        self.held = HeldMessages(storage: context.storage, writer: writer)
        self.retention = Retention(
            storage: context.storage, messageLifetime: configuration.messageLifetime, heldLifetime: configuration.heldLifetime,
            clock: context.clock, logger: context.logger)
        self.service = ChatService(
            configuration: configuration, storage: context.storage, store: store, profiles: profiles,
            lane: SendLane(storage: context.storage, writer: writer), writer: writer,
            lists: try MessageLists(store: store, context: context),
            search: MessageSearch(storage: context.storage, metrics: metrics), admission: context.admission,
            receipts: ReceiptLog(store: store, logger: context.logger),
            typing: TypingSignals(
                companions: try ConversationMembersCache(store: store, context: context), stream: context.stream),
            presence: Presence(profiles: profiles, store: store, clock: context.clock, logger: context.logger),
            clock: context.clock)
        self.cursors = context.cursors
    }

    /// Registers routes, frames, ports, operator actions, event handlers and services.
    public func register(in registrar: inout ModuleRegistrar) {
        for route in ChatRoutes(service: service, cursors: cursors).all { registrar.route(route) }
        for frame in ChatClientFrames(service: service).rows { registrar.frame(frame) }
        for frame in ChatServerFrames.rows { registrar.frame(frame) }
        registrar.addChatInvalidations()

        registrar.contribute((any MatchParticipant).self, MatchFollowing(store: store))
        registrar.contribute((any ClosureParticipant).self, ConversationDepartures(store: store, presence: service.presence))
        registrar.contribute((any ConnectionObserving).self, service.presence)
        let configuration = service.configuration
        registrar.contribute((any MessagePolicy).self, NewConversationLimit(perDay: configuration.newConversationsPerDay))
        let gate = ContactGate(mode: configuration.contactGate, pictures: configuration.rules.pictures)
        registrar.contribute((any MessagePolicy).self, gate)
        registrar.contribute((any ProfileTextPolicy).self, gate)
        registrar.provide((any UnreadCounting).self, service)
        registrar.provide((any HeldMessageReviewing).self, held)
        let operations = ChatOperations(store: store, held: held)
        for action in operations.all { registrar.operatorAction(action) }
        registrar.contribute((any EvidenceProviding).self, operations)
        registrar.contribute((any PersonDescribing).self, operations)

        let presence = service.presence
        registrar.onCommit(MatchEnded.self) { presence.part($0.users) }
        registrar.onCommit(MatchCreated.self) { event in for user in event.users { presence.touch(user) } }
        registrar.onCommit(ProfileChanged.self) { presence.touch($0.user) }

        for work in [service.receipts.work, presence.work, retention.work] { registrar.timed(work) }
        service.receipts.register(in: &registrar)
        service.typing.register(in: &registrar)
        service.presence.register(in: &registrar)
        service.writer.register(in: &registrar)
        registrar.demo { town, database, progress in
            try DemoChats(town: town).load(into: database, progress: progress)
        }
    }
}
