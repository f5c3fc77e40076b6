import SparkCache
import SparkCore
public import SparkKit

/// People's profiles: record, preferences, location, visibility, and the cards that others see.
public struct ProfilesModule: SparkModule {
    /// What the module declares: its dependencies, tables, metrics and invariants.
    public static let manifest = ModuleManifest(
        id: "profiles", summary: "People: profile, preferences, snapped place, visibility", dependencies: ["accounts"],
        migrations: ProfilesMigrations.all, tables: ProfilesPersonalData.tables, metrics: ProfilesMetrics.declarations,
        invariants: ProfilesInvariants.all)

    let service: ProfilesService
    private let clock: any WallClock
    /// Nil in an ephemeral server, which starts without people.
    private let warming: Warming?
    private let activeUsers: ActiveUserCounts

    /// Builds the services of the module.
    /// - Throws: `ModuleFault` if `hidden_cell_metres` is smaller than `cell_metres`; the errors of cache namespaces.
    public init(configuration: ProfilesConfiguration, context: ModuleContext) throws {
        let sizes = configuration.gridSizes
        guard sizes.hiddenCellMetres >= sizes.cellMetres else {
            throw ModuleFault(module: Self.manifest.id, "hidden_cell_metres must not be smaller than cell_metres")
        }
        let plain = SpatiaLiteProfilesStore(storage: context.storage, gridSizes: sizes)
        let records = try ProfileRecords(store: plain, context: context)
        let store = SpatiaLiteProfilesStore(storage: context.storage, gridSizes: sizes) { records.file($0) }
        let metrics = ProfilesMetrics()
        clock = context.clock
        service = ProfilesService(
            store: store, records: records, answers: try PreferencesAnswers(records: records, context: context),
            places: PublishedPlaces(sizes), limits: configuration.locationLimits,
            activity: ActivityLog(store: store, clock: context.clock, metrics: metrics, logger: context.logger),
            policies: context.contributions((any ProfileVisibilityPolicy).self),
            texts: context.contributions((any ProfileTextPolicy).self), metrics: metrics)
        activeUsers = ActiveUserCounts(store: store, metrics: metrics, clock: context.clock, logger: context.logger)
        warming = context.isEphemeral ? nil : Warming(store: store, records: records, logger: context.logger)
    }

    /// Registers routes, ports, event handlers, services and the check of the stored grid.
    public func register(in registrar: inout ModuleRegistrar) {
        for route in ProfilesRoutes(service: service).all { registrar.route(route) }

        registrar.provide((any ProfileReading).self, service)
        registrar.provide((any ActivityRecording).self, service.activity)

        let participation = AccountParticipation(service: service, clock: clock)
        registrar.contribute((any RegistrationParticipant).self, participation)
        registrar.contribute((any ClosureParticipant).self, participation)
        let operations = ProfileOperations(service: service, clock: clock)
        registrar.contribute((any EvidenceProviding).self, operations)
        registrar.contribute((any PersonDescribing).self, operations)

        registrar.cacheTags(ofUsers: [.user, .activity])
        registrar.invalidate(on: ProfileChanged.self) { [.user($0.user)] }
        registrar.invalidate(on: LocationChanged.self) { [.user($0.user)] }
        registrar.invalidate(on: ActivityRecorded.self) { $0.people.map { .activity(of: $0.user) } }
        registrar.invalidate(on: AccountErased.self) { [.user($0.user), .activity(of: $0.user)] }

        registrar.prepare { [store = service.store] in try await store.adoptGrid() }
        registrar.timed(service.activity.work)
        service.activity.register(in: &registrar)
        registrar.timed(activeUsers.work)
        if let warming { registrar.service(warming) }
        registrar.health("grid") { [store = service.store] in try await store.checkGrid() }

        registrar.demo { [places = service.places] town, database, progress in
            try DemoPeople(town: town, places: places).load(into: database, progress: progress)
        }
    }
}
