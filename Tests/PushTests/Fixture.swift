import Logging
import SparkAccounts
import SparkChat
import SparkCore
import SparkKit
import SparkMatching
import SparkProfiles
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkPush

typealias Person = SparkTestSupport.Person<Fixture>

/// A server with Push, whose batches and deliveries move only on a test's call.
final class Fixture: PeopleServer, RunningServer {
    let server: TestServer
    let module: PushModule

    init(settings: [String] = []) async throws {
        server = try await TestServer.start(
            [AccountsModule.self, ProfilesModule.self, MatchingModule.self, ChatModule.self, StillPushModule.self],
            settings: settings)
        module = try server.port(StillPushModule.self).module
    }

    func stop() async { await server.stop() }

    var store: any PushStore { module.decider.store }

    func answer(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> TestAnswer {
        try await server.answer(method, path, token: token, body: body)
    }

    /// The same person with a new token.
    func again(_ person: Person) async throws -> Person {
        try await person.with(token: server.person(whoIs: person.id).token)
    }

    func read(_ conversation: ConversationID, upTo seq: Int64, by person: Person) async throws {
        let answer = try await call("POST", "/conversations/\(conversation.wire)/read", person, ["seq": .integer(seq)])
        try #require(answer.status == 200, "\(answer.body)")
    }

    /// Registers a device that records.
    func device(_ person: Person, name: String = "phone", language: String = "en") async throws {
        let answer = try await call(
            "PUT", "/me/devices/\(name)", person,
            ["provider": "log", "token": .string("token-\(person.id.wire)-\(name)"), "language": .string(language)])
        try #require(answer.status == 200, "\(answer.body)")
    }

    /// Two matched people; the first has a device. The pushes of the match itself are done.
    func pair() async throws -> (Person, Person, ConversationID) {
        let (ann, ben) = (try await person("Ann"), try await person("Ben"))
        let conversation = try await match(ann, ben)
        try await device(ann)
        return (ann, ben, conversation)
    }

    /// Decides the due batches and sends the deliveries.
    func push() async throws {
        while try await module.decider.decideDue() {}
        for lane in module.lanes { try await lane.drain() }
    }

    /// The same after the time in which a batch gathers.
    func pushGathered() async throws {
        server.clock.advance(by: .seconds(2))
        try await push()
    }

    func overview() async throws -> OutboxOverview { try await store.overview(at: server.clock.now(), limit: 100) }

    /// The pushes that devices received, in order.
    func sent() async throws -> [JSONValue] {
        try await overview().records.reversed().map { try JSONParser.parse(Array($0.content.utf8)) }
    }

    func bodies() async throws -> [String] { try await sent().compactMap { $0["body"]?.string } }

    func count(_ sql: String) throws -> Int {
        try server.storage.readNow { try $0.value("SELECT count(*) FROM \(sql)", as: Int.self) ?? -1 }
    }

    /// A lane of its own with a provider that gives prepared answers.
    func lane(
        _ provider: any PushProvider, of service: PushPlatform = .log, concurrency: Int = 10
    ) throws -> DispatchLane {
        DispatchLane(
            service, concurrency: concurrency, wakeUp: WakeUp(),
            parts: DispatchLane.Parts(
                store: store, provider: provider,
                composer: PushComposer(store: store, unread: try server.port((any UnreadCounting).self)),
                usefulness: UsefulnessGauge(), clock: server.clock, random: SeededRandomSource(seed: 5), metrics: PushMetrics(),
                logger: .init(label: "test")))
    }
}

/// The module without what runs by itself, which also gives itself out.
struct StillPushModule: SparkModule {
    static let manifest = PushModule.manifest
    let module: PushModule

    init(configuration: PushConfiguration, context: ModuleContext) throws {
        module = try PushModule(configuration: configuration, context: context)
    }

    func register(in registrar: inout ModuleRegistrar) {
        module.declare(in: &registrar)
        registrar.provide(StillPushModule.self, self)
    }
}

/// Gives prepared answers and records its requests.
final class ScriptedProvider: PushProvider, Sendable {
    private struct State {
        var outcomes: [PushOutcome]
        var received: [PushNotification] = []
    }

    private let state: Mutex<State>

    /// - Parameter outcomes: one after another; the last one repeats.
    init(_ outcomes: PushOutcome...) { state = Mutex(State(outcomes: outcomes)) }

    var received: [PushNotification] { state.withLock { $0.received } }

    func answer(_ outcomes: PushOutcome...) { state.withLock { $0.outcomes = outcomes } }

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome {
        state.withLock { state in
            state.received.append(notification)
            return state.outcomes.count > 1 ? state.outcomes.removeFirst() : state.outcomes.first ?? .accepted
        }
    }

    func fault() async -> String? { nil }
    func shutDown() async {}
}

/// Takes a push and does not answer until the test lets it.
final class StuckProvider: PushProvider, Sendable {
    private let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
    private let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)

    /// Returns once a push is stuck.
    func isStuck() async { for await _ in arrivals { return } }

    func release() { continuation.finish() }

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome {
        arrival.yield()
        for await _ in signals {}
        return .accepted
    }

    func fault() async -> String? { nil }
    func shutDown() async {}
}
