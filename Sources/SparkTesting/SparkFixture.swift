import Foundation
import Logging
public import Spark
@_exported public import SparkClient
@_exported public import SparkCore
import SparkFiles
import SparkFixture
public import SparkKit
import SparkServer

/// A server that keeps nothing, with what a test needs: people, time, snapshots, an outbox, faults.
///
/// Each fixture is a server of its own, at a free port of 127.0.0.1. Any number of them runs side by side.
public final class SparkFixture: Sendable {
    /// Where a server runs.
    public enum Place: Sendable {
        /// In this process. Nothing but the package is needed.
        case thisProcess
        /// As a process of the binary `spark`, at a path; for nil at that of SPARK_BINARY, else found on the PATH.
        case binary(at: String? = nil)
    }

    private enum Host: Sendable {
        case instance(Spark.Instance)
        case child(FixtureChild)
        /// Somebody else ends it.
        case elsewhere
    }

    @TaskLocal static var bound: SparkFixture?

    /// The server's URL, `http://127.0.0.1:port`.
    public let url: String
    /// The bearer token for `/__test__/`, `/metrics` and `/_/`.
    public let adminToken: String
    let diary: FixtureDiary
    private let host: Host

    private init(url: String, adminToken: String, diary: FixtureDiary, host: Host) {
        self.url = url
        self.adminToken = adminToken
        self.diary = diary
        self.host = host
    }

    // A test that forgets to stop a process does not leave it behind.
    deinit {
        if case .child(let child) = host { child.end() }
    }

    /// The server of the running test, which has the trait `.spark` or is in a suite that has it.
    /// - Throws: `Failure` when there is none.
    public static var current: SparkFixture {
        get throws(Failure) {
            guard let bound else { throw Failure(.noServer) }
            return bound
        }
    }

    /// Starts a server, and returns when it answers.
    /// - Parameters:
    ///   - scenario: The name or the file of a scenario; nobody is there without one.
    ///   - place: Where it runs.
    ///   - modules: The modules of a server in this process; by default all of Spark's. The binary has its own.
    ///   - settings: `section.key=value`, as for the flag `--set`.
    public static func start(
        scenario: String? = nil, in place: Place = .thisProcess, modules: [any SparkModule.Type] = sparkModules,
        settings: [String] = []
    ) async throws(Failure) -> SparkFixture {
        let diary = try FixtureDiary()
        do {
            switch place {
            case .thisProcess:
                let instance = try await Spark.start(
                    Server.launch(options(scenario, modules: modules, settings: settings, diary: diary)))
                return SparkFixture(
                    url: instance.listening.url, adminToken: instance.listening.adminToken ?? "", diary: diary,
                    host: .instance(instance))
            case .binary(let path):
                let chosen = scenario.map { ["--scenario", $0] } ?? []
                let child = try await FixtureChild.start(
                    path, chosen + settings.flatMap { ["--set", $0] }, diary: diary)
                return SparkFixture(
                    url: child.ready["url"]?.string ?? "", adminToken: child.ready["admin_token"]?.string ?? "", diary: diary,
                    host: .child(child))
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.didNotStart("\(error)"), log: diary.text())
        }
    }

    /// Starts a server, runs a test against it, and stops it. When the test throws, the server's log goes to the standard error stream.
    public static func with<Value>(
        scenario: String? = nil, in place: Place = .thisProcess, settings: [String] = [],
        isolation: isolated (any Actor)? = #isolation, _ body: (SparkFixture) async throws -> Value
    ) async throws -> Value {
        let fixture = try await start(scenario: scenario, in: place, settings: settings)
        let value: Value
        do {
            value = try await body(fixture)
        } catch {
            fixture.diary.show(after: error)
            try? await fixture.stop()
            throw error
        }
        try await fixture.stop()
        return value
    }

    private static func options(
        _ scenario: String?, modules: [any SparkModule.Type], settings: [String], diary: FixtureDiary
    ) throws -> Server.Options {
        let configuration = try LoadedConfiguration(
            schema: ConfigurationSchema(modules: modules), flags: ["http.listen=127.0.0.1:0"] + settings)
        let loader = try scenario.map { ScenarioLoader(try read($0)) }
        var options = Server.Options(
            modules: modules, configuration: configuration, directory: try DataDirectory.temporary(), logger: diary.logger)
        options.isEphemeral = true
        options.scenario = loader
        options.cloning = FixtureChild.program.map {
            CloneProcess(program: $0, arguments: FixtureChild.verb + ["--json"] + settings.flatMap { ["--set", $0] })
        }
        return options
    }

    /// Reads a scenario by its name, or else from the file.
    private static func read(_ scenario: String) throws -> Scenario {
        if let known = try Scenario.named(scenario) { return known }
        let bytes: [UInt8]
        do {
            bytes = try NamedFile.contents(of: scenario, atMost: Scenario.longestFile)
        } catch {
            let names = Scenario.names.joined(separator: ", ")
            throw Failure(.didNotStart("there is no scenario \(scenario), only \(names), and as a file: \(error)"))
        }
        let name = URL(filePath: scenario).lastPathComponent
        return try Scenario(name: name, file: scenario, text: String(decoding: bytes, as: UTF8.self))
    }

    /// Stops the server, and returns when everything of it is gone. A second call does nothing, and neither does one for a clone, which
    /// ends with the server that it was made from.
    public func stop() async throws(Failure) {
        switch host {
        case .elsewhere: return
        case .instance(let instance):
            do { try await instance.stop() } catch { throw failure(.didNotStop("\(error)")) }
        case .child(let child):
            let status = await child.stop()
            guard status == 0 else { throw failure(.didNotStop("exit status \(status)")) }
        }
    }

    /// What the server has logged since its start, warnings and worse; of a long log the end.
    public var log: String { diary.text() }

    /// A client of this server.
    /// - Parameter token: An access token; nil for nobody.
    public func client(token: String? = nil) -> SparkClient {
        SparkClient(url: url, token: token, timeout: Self.patience)
    }

    /// A client of this server with a method for each route.
    /// - Parameter tokens: Of a login; nil for nobody, who then registers or logs in.
    public func session(tokens: SparkSession.Tokens? = nil) -> SparkSession {
        var patience = SparkSession.Patience()
        patience.timeout = Self.patience
        return SparkSession(url: url, tokens: tokens, patience: patience)
    }

    /// A client that is signed in as a person of the scenario, or one that was added with a name: `client(for: "ada")`.
    public func client(for name: String) async throws(Failure) -> SparkClient { try await person(name).client }

    /// Keeps the present state. The 32 that were made or restored last are kept.
    public func snapshot() async throws(Failure) -> Snapshot {
        let answer = try await test("POST", "snapshot")
        return Snapshot(id: try text(answer, "snapshot", of: "snapshot"))
    }

    /// Goes back to a kept state. Open sockets are closed.
    public func restore(_ snapshot: Snapshot) async throws(Failure) {
        try await test("POST", "restore", ["snapshot": .string(snapshot.id)])
    }

    /// Goes back to the state at the start: the scenario as it was loaded.
    public func reset() async throws(Failure) { try await test("POST", "reset") }

    /// A second server with the present state, where everybody's tokens work. It is a process of the binary, also for a server in this
    /// process, and ends with this server.
    public func clone() async throws(Failure) -> SparkFixture {
        let answer = try await test("POST", "clone")
        return SparkFixture(
            url: try text(answer, "url", of: "clone"), adminToken: try text(answer, "admin_token", of: "clone"), diary: diary,
            host: .elsewhere)
    }

    /// Makes the identifiers, refresh tokens and other random values of everything that follows repeatable.
    public func seed(_ number: Int) async throws(Failure) {
        try await test("POST", "chance", ["seed": .integer(Int64(number))])
    }

    /// The server's clock.
    public var clock: Clock { Clock(fixture: self) }

    /// A call of the routes below `/__test__/`.
    /// - Parameter path: What follows it, with the query.
    /// - Returns: The answer's body; null if it has none.
    /// - Throws: `Failure` for every answer that is not a success.
    @discardableResult
    public func test(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws(Failure) -> JSONValue {
        try await call(client(token: adminToken), method, "/__test__/\(path)", body)
    }

    /// A call of any route that must succeed.
    func call(
        _ client: SparkClient, _ method: String, _ path: String, _ body: JSONValue? = nil
    ) async throws(Failure) -> JSONValue {
        let answer: SparkAnswer
        do { answer = try await client.send(method, path, json: body) } catch { throw failure(.unreachable("\(error)")) }
        guard (200..<300).contains(answer.status) else {
            throw failure(.refused(call: "\(method) \(path)", status: answer.status, problem: answer.json))
        }
        return answer.json
    }

    /// A member of an answer that must be there.
    func text(_ json: JSONValue?, _ key: String, of call: String) throws(Failure) -> String {
        guard let text = json?[key]?.string else { throw failure(.unexpected("\(call) has no \(key)")) }
        return text
    }

    func failure(_ reason: Failure.Reason) -> Failure { Failure(reason, log: diary.text()) }

    /// The longest time for a request. A move of the clock may have much to do.
    private static let patience = Duration.minutes(2)

    /// A kept state.
    public struct Snapshot: Hashable, Sendable {
        let id: String
    }
}
