import Foundation
import HTTPTypes
import Logging
import ServiceLifecycle
public import SparkCache
public import SparkCore
public import SparkKit
import SparkServer
public import SparkStorage

/// A whole server without a socket: real store on a temporary directory, real router and checks, manual clock, seeded random numbers.
public final class TestServer: Sendable {
    /// Stands at 2026-03-01T12:00:00Z when the server starts.
    public let clock: ManualClock
    private let server: Server
    private let group: ServiceGroup
    private let background: Task<Void, any Error>
    private let beginning = Beginning()

    /// - Parameters:
    ///   - settings: `section.key=value`.
    ///   - directory: a data directory that stays, for servers one after the other; a temporary one if nil.
    ///   - time: where the clock stands.
    ///   - scenario: the people at the start; a crowd is not loaded.
    public static func start(
        _ modules: [any SparkModule.Type], settings: [String] = [], seed: UInt64 = 1, directory: String? = nil,
        time: Timestamp = TestServer.startOfTime, scenario: (any ScenarioLoading)? = nil
    ) async throws -> TestServer {
        let server = try TestServer(
            modules, settings: settings, seed: seed, directory: directory, time: time, scenario: scenario)
        try await server.server.prepare()
        try await server.server.beginFixture()
        return server
    }

    private init(
        _ modules: [any SparkModule.Type], settings: [String], seed: UInt64, directory: String?, time: Timestamp,
        scenario: (any ScenarioLoading)?
    ) throws {
        let configuration = try LoadedConfiguration(schema: ConfigurationSchema(modules: modules), flags: settings)
        let clock = ManualClock(time)
        var options = Server.Options(
            modules: modules, configuration: configuration,
            directory: try directory.map { try DataDirectory(path: $0) }
                ?? DataDirectory(temporaryIn: FileManager.default.temporaryDirectory),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        options.isEphemeral = directory == nil
        options.scenario = scenario
        options.clock = clock
        options.random = SeededRandomSource(seed: seed)
        let server = try Server(options)
        self.clock = clock
        self.server = server
        let group = ServiceGroup(
            configuration: .init(
                services: ([beginning] + server.backgroundServices).map {
                    .init(service: $0, successTerminationBehavior: .ignore)
                }, logger: options.logger))
        self.group = group
        self.background = Task { try await group.run() }
    }

    /// 2026-03-01T12:00:00Z.
    public static let startOfTime = Timestamp(milliseconds: 1_772_366_400_000)

    public var storage: SQLiteStorage { server.storage }
    public var cache: Cache { server.cache }

    /// The cache tags of a user, of all modules.
    public func cacheTags(of user: UserID) -> [CacheTag] { server.cacheTags(of: user) }

    /// A port of one of the modules.
    public func port<Port>(_ type: Port.Type) throws -> Port {
        guard let port = server.port(type) else { throw MissingPort() }
        return port
    }

    /// A request through the whole edge; `path` is the whole path with its query.
    public func call(
        _ method: String, _ path: String, token: String? = nil, json: String? = nil, headers: [String: String] = [:],
        address: String = "127.0.0.1"
    ) async throws -> TestAnswer {
        try await call(
            method, path, token: token, json: json, headers: headers, address: address, host: "test", isOperator: false)
    }

    /// A request by the operators' listener.
    public func operatorCall(
        _ method: String, _ path: String, token: String? = nil, headers: [String: String] = [:], host: String = "localhost"
    ) async throws -> TestAnswer {
        try await call(
            method, path, token: token, json: nil, headers: headers, address: "127.0.0.1", host: host, isOperator: true)
    }

    private func call(
        _ method: String, _ path: String, token: String?, json: String?, headers: [String: String], address: String,
        host: String, isOperator: Bool
    ) async throws -> TestAnswer {
        guard let method = HTTPRequest.Method(method) else { throw MissingPort() }
        var request = HTTPRequest(method: method, scheme: "http", authority: host, path: path)
        if let token { request.headerFields[.authorization] = "Bearer \(token)" }
        if json != nil { request.headerFields[.contentType] = "application/json" }
        for (name, value) in headers {
            if let field = HTTPField.Name(name) { request.headerFields[field] = value }
        }
        let (head, body) = try await server.answer(
            request, body: Array((json ?? "").utf8), peerAddress: address, isOperator: isOperator)
        return TestAnswer(
            status: head.status.code,
            headers: Dictionary(head.headerFields.map { ($0.name.canonicalName, $0.value) }) { first, _ in first },
            body: String(decoding: body, as: UTF8.self))
    }

    /// The token for the operators' routes on the public listener.
    public var adminToken: String? { server.adminToken }

    /// Returns when all events published so far have been handled.
    public func drainEvents() async { await server.drainEvents() }

    /// Where a test looks in and steers; nil without the module `fixture`.
    package var fixture: FixtureHooks? { server.fixture }

    /// The identifiers of the modules that run.
    public var modules: [String] { server.plan.manifests.map(\.id) }

    /// Runs all due durable jobs.
    public func runOutbox() async throws { try await server.runOutbox() }

    /// Runs an operator action.
    public func operate(_ action: String, _ members: JSONValue = [:]) async throws -> JSONValue {
        try await server.operate(action, members: members, actor: "uid:0").result
    }

    /// Checks whether the clock was set back, as a running server does once a second.
    public func lookAtClock() async { await server.lookAtClock() }

    /// The report of `spark check`.
    public func check() throws -> [String] { try server.check() }

    /// Loads a demo town.
    public func load(_ town: any DemoTown) throws { try server.load(town) { _, _ in } }

    public func stop() async {
        await endServices()
        await server.conclude()
        await server.close()
    }

    private func endServices() async {
        // A group that does not run yet would forget the request.
        await beginning.wait()
        await group.triggerGracefulShutdown()
        _ = try? await background.value
    }

    /// Ends like a killed server: nothing is saved for the next one.
    public func halt() async {
        await endServices()
        await server.close()
    }
}

/// A service that tells that the services run.
private final class Beginning: Service {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func run() async throws {
        continuation.finish()
        try? await gracefulShutdown()
    }

    /// Returns once the service runs.
    func wait() async { for await _ in stream {} }
}

private struct MissingPort: Error {}

/// An answer.
public struct TestAnswer: Sendable {
    public let status: Int
    /// By lower-case name.
    public let headers: [String: String]
    public let body: String

    /// The body as JSON; null if it is not JSON.
    public var json: JSONValue { (try? JSONParser.parse(Array(body.utf8))) ?? .null }
}
