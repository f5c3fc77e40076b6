import Foundation
import SparkCore
public import SparkKit
import SparkStorage

/// Decks, swipes, matches, blocks and reports.
public struct MatchingModule: SparkModule {
    public typealias Configuration = MatchingConfiguration

    /// What the module declares: its dependencies, tables, metrics and invariants.
    public static let manifest = ModuleManifest(
        id: "matching", summary: "Decks, swipes, matches, blocks and reports", dependencies: ["accounts", "profiles"],
        migrations: MatchingMigrations.all, tables: MatchingTables.all, reads: ["profiles_users", "accounts_erased"],
        metrics: MatchingMetrics.declarations, invariants: MatchingInvariants.all)

    let store: SpatiaLiteMatchingStore
    let service: MatchingService
    let feed: DeckIndexSync
    let retention: EvidenceRetention
    private let operations: ReportOperations
    private let keeping: DeckIndexService
    private let routes: MatchingRoutes
    private let storage: any Storage
    private let clock: any WallClock

    /// Builds the services of the module.
    /// - Throws: the errors of missing ports and of cache namespaces.
    public init(configuration: MatchingConfiguration, context: ModuleContext) throws {
        let saved = SavedIndex(
            in: context.directory.appending(path: Self.manifest.id, directoryHint: .isDirectory), random: SystemRandomSource())
        let feed = DeckIndexSync(
            storage: context.storage, saved: context.isEphemeral ? nil : saved, logger: context.logger)
        let store = SpatiaLiteMatchingStore(
            storage: context.storage, identifiers: context.identifiers, feed: feed,
            participants: context.contributions((any MatchParticipant).self),
            evidence: context.contributions((any EvidenceProviding).self), evidenceMessages: configuration.evidenceMessages)
        let profiles = try context.port((any ProfileReading).self)
        self.service = MatchingService(
            configuration: configuration, store: store, profiles: profiles,
            dealer: try DeckService(
                configuration: configuration, store: store, rankings: Rankings(store: store, feed: feed, profiles: profiles),
                profiles: profiles, context: context),
            lists: try MatchLists(store: store, profiles: profiles, context: context),
            exposure: ExposureLog(store: store, clock: context.clock, logger: context.logger), clock: context.clock,
            metrics: MatchingMetrics())
        self.feed = feed
        self.keeping = DeckIndexService(feed: feed, metrics: service.metrics, clock: context.clock, logger: context.logger)
        self.store = store
        self.retention = EvidenceRetention(
            store: store, lifetime: configuration.evidenceLifetime, clock: context.clock, logger: context.logger)
        self.operations = ReportOperations(store: store, accounts: try context.port((any AccountSuspending).self))
        self.routes = MatchingRoutes(service: service, cursors: context.cursors)
        (self.storage, self.clock) = (context.storage, context.clock)
    }

    /// Registers routes, ports, operator actions, event handlers and services.
    public func register(in registrar: inout ModuleRegistrar) {
        for route in routes.all { registrar.route(route) }
        registrar.addMatchingInvalidations()
        registrar.onCommit(feed)
        for work in keeping.works + [service.exposure.work, retention.work] { registrar.timed(work) }
        for action in operations.all { registrar.operatorAction(action) }
        registrar.contribute((any PersonDescribing).self, operations)
        registrar.contribute(
            (any ProfileVisibilityPolicy).self, BlockVisibility(store: store, standings: service.dealer.standings))
        registrar.contribute((any ClosureParticipant).self, MatchDepartures(store: store))
        registrar.provide((any PairExplaining).self, PairExplainer(service: service, store: store))
        registrar.provide((any SwipeLoading).self, ScenarioSwipes(storage: storage, feed: feed, clock: clock))
        service.exposure.register(in: &registrar)
        store.order.register(in: &registrar)
        registrar.demo { [feed] town, database, progress in
            try DemoSwipes(town: town).load(into: database, progress: progress)
            try feed.fill(from: database)
        }
    }
}
