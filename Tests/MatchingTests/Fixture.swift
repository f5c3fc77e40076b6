import SparkAccounts
import SparkCore
import SparkDecks
import SparkKit
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkMatching
@testable import SparkProfiles

/// A server with Matching, with access to its store and service.
struct Fixture: PeopleServer, RunningServer {
    let server: TestServer
    let store: SpatiaLiteMatchingStore
    let service: MatchingService
    let people: any ProfilesStore
    let events: EventLog
    let retention: EvidenceRetention

    static func start(_ settings: [String] = []) async throws -> Fixture {
        let server = try await TestServer.start(
            [OpenMatchingModule.self, OpenProfilesModule.self, AccountsModule.self, EventLogModule.self], settings: settings)
        let matching = try server.port(OpenMatchingModule.self).module
        return Fixture(
            server: server, store: matching.store, service: matching.service,
            people: try server.port(OpenProfilesModule.self).module.service.store,
            events: try server.port((any EventLogging).self).log, retention: matching.retention)
    }

    func stop() async { await server.stop() }

    func answer(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> TestAnswer {
        try await server.answer(method, path, token: token, body: body)
    }

    var now: Timestamp { server.clock.now() }

    /// The decks of the R-tree and of the hot index, without a cache.
    func rankings(for query: DeckQuery) async throws -> [Ranking] {
        let standing = try await store.standing(of: query.viewer, at: query.now, skipLifetime: query.skipLifetime)
        #expect(service.dealer.rankings.feed.index != nil)
        return [
            try await store.ranking(for: query, standing: nil),
            try await service.dealer.rankings.ranking(for: query, standing: standing),
        ]
    }

    /// Decides which people see each other, as the module does.
    var visibility: BlockVisibility { BlockVisibility(store: store, standings: service.dealer.standings) }

    /// People 1…count at one place, who all suit each other.
    func settle(_ count: Int, change: (inout WorldPerson) -> Void = { _ in }) async throws {
        var world = World()
        for id in 1...Int64(count) {
            var person = WorldPerson(
                id: id, lastActiveAt: now, place: Coordinate(latitude: 48.8566, longitude: 2.3522))
            change(&person)
            world.people.append(person)
        }
        try await server.storage.become(world)
    }

    /// The faults that Matching's invariants find. The people of these tests have no accounts, so only Matching is checked.
    func faults() throws -> [String] {
        try server.storage.readNow { session in try MatchingInvariants.all.flatMap { try $0.check(session) } }
    }

    func count(_ rows: String) throws -> Int {
        try server.storage.readNow { try $0.value("SELECT COUNT(*) FROM \(rows)", as: Int.self) ?? -1 }
    }

    @discardableResult
    func swipe(_ user: Int64, _ target: Int64, _ action: SwipeAction) async throws -> MatchView? {
        try await service.swipe(Swipe(user: UserID(rawValue: user), target: UserID(rawValue: target), action: action))
    }

    func deck(_ user: Int64, limit: Int = 100) async throws -> [Int64] {
        try await service.suggestions(for: UserID(rawValue: user), limit: limit).ranks.map(\.id.rawValue)
    }
}

/// The module itself, which the test can reach.
struct OpenMatchingModule: SparkModule {
    static let manifest = MatchingModule.manifest
    let module: MatchingModule

    init(configuration: MatchingConfiguration, context: ModuleContext) throws {
        module = try MatchingModule(configuration: configuration, context: context)
    }

    func register(in registrar: inout ModuleRegistrar) {
        module.register(in: &registrar)
        registrar.provide(OpenMatchingModule.self, self)
    }
}

/// The same of Profiles.
struct OpenProfilesModule: SparkModule {
    static let manifest = ProfilesModule.manifest
    let module: ProfilesModule

    init(configuration: ProfilesConfiguration, context: ModuleContext) throws {
        module = try ProfilesModule(configuration: configuration, context: context)
    }

    func register(in registrar: inout ModuleRegistrar) {
        module.register(in: &registrar)
        registrar.provide(OpenProfilesModule.self, self)
    }
}

/// Every event of Matching, in order.
final class EventLog: Sendable {
    private let entries = Mutex<[any SparkEvent]>([])

    func append(_ event: any SparkEvent) { entries.withLock { $0.append(event) } }

    func all<Event: SparkEvent>(_ type: Event.Type) -> [Event] { entries.withLock { $0.compactMap { $0 as? Event } } }

    /// The names of all events, in order; forgets them.
    func takeNames() -> [String] {
        entries.withLock { entries in
            defer { entries = [] }
            return entries.map { type(of: $0).name }
        }
    }
}

protocol EventLogging: Sendable {
    var log: EventLog { get }
}

/// A module that subscribes to every event of Matching.
struct EventLogModule: SparkModule, EventLogging {
    static let manifest = ModuleManifest(id: "eventlog", summary: "Keeps events for tests", dependencies: ["matching"])
    let log = EventLog()

    init(configuration: NoConfiguration, context: ModuleContext) throws {}

    func register(in registrar: inout ModuleRegistrar) {
        registrar.provide((any EventLogging).self, self)
        registrar.subscribe(to: LikeReceived.self) { [log] in log.append($0) }
        registrar.subscribe(to: MatchCreated.self) { [log] in log.append($0) }
        registrar.subscribe(to: MatchEnded.self) { [log] in log.append($0) }
        registrar.subscribe(to: UserBlocked.self) { [log] in log.append($0) }
        registrar.subscribe(to: UserUnblocked.self) { [log] in log.append($0) }
        registrar.subscribe(to: UserReported.self) { [log] in log.append($0) }
    }
}

/// The error code of a refusal; nil without one.
func refusal(_ body: () async throws -> some Any) async -> String? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? any ClientError)?.code ?? "\(error)"
    }
}
