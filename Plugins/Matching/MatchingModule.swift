import SparkCore
public import SparkKit

/// Who meets whom: decks, swipes, matches, blocks and reports.
public struct MatchingModule: SparkModule {
    public typealias Configuration = MatchingConfiguration

    public static let manifest = ModuleManifest(
        id: "matching", summary: "Decks, swipes, matches, blocks and reports", dependencies: ["accounts", "profiles"],
        migrations: MatchingMigrations.all, tables: MatchingTables.all, reads: ["profiles_users"],
        metrics: MatchingMetrics.declarations, invariants: MatchingInvariants.all)

    private let store: any MatchingStore
    private let routes: MatchingRoutes

    public init(configuration: MatchingConfiguration, context: ModuleContext) throws {
        let store = SpatiaLiteMatchingStore(storage: context.storage, identifiers: context.identifiers)
        let service = MatchingService(
            configuration: configuration, store: store, profiles: try context.port((any ProfileReading).self),
            clock: context.clock, metrics: MatchingMetrics())
        self.store = store
        self.routes = MatchingRoutes(service: service, cursors: context.cursors)
    }

    public func register(in registrar: inout ModuleRegistrar) {
        for route in routes.all { registrar.route(route) }
        registrar.contribute((any ProfileVisibilityPolicy).self, BlockVisibility(store: store))
        registrar.demo { town, database, progress in
            try DemoSwipes(town: town).load(into: database, progress: progress)
        }
    }
}
