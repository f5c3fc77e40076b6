import Foundation
import SparkClient
import SparkCore
import SparkTestSupport

/// A server for tests as another project's tests use it: its people sign in by the addresses of the scenario.
struct FixtureScene: Sendable {
    let spark: SparkProcess

    /// Starts a server with a scenario.
    static func start(_ scenario: String, _ arguments: [String] = []) async throws -> FixtureScene {
        FixtureScene(spark: try await SparkProcess.serve(["--ephemeral", "--scenario", scenario] + arguments))
    }

    /// Runs a test against a server with a scenario, which must then end in order and leave nothing.
    static func with(_ scenario: String, _ body: (FixtureScene) async throws -> Void) async throws {
        try await withSpark(["--ephemeral", "--scenario", scenario]) { try await body(FixtureScene(spark: $0)) }
    }

    /// A call of `/__test__/`.
    @discardableResult
    func test(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> TestAnswer {
        try await Self.test(spark.url, spark.readyLine["admin_token"]?.string, method, path, body)
    }

    static func test(
        _ url: String, _ token: String?, _ method: String, _ path: String, _ body: JSONValue? = nil
    ) async throws -> TestAnswer {
        try await SparkClient(patient: url).answer(method, "/__test__/\(path)", token: token, body: body)
    }

    func snapshot() async throws -> String {
        try await test("POST", "snapshot").expected(200).json["snapshot"]?.string ?? ""
    }

    func restore(_ id: String) async throws {
        try await test("POST", "restore", ["snapshot": .string(id)]).expected(200)
    }

    /// A client of a person of the scenario.
    func person(_ name: String) async throws -> SparkClient { try await Self.person(name, at: spark.url) }

    static func person(_ name: String, at url: String) async throws -> SparkClient {
        let answer = try await SparkClient(patient: url).answer(
            "POST", "/api/v1/auth/login", token: nil,
            body: ["email": .string("\(name)@example.org"), "password": .string(Credentials.password)]
        ).expected(200)
        return SparkClient(patient: url, token: answer.json["access_token"]?.string)
    }
}

extension SparkClient {
    /// The items of a list.
    func items(_ path: String) async throws -> [JSONValue] { try await call("GET", "/api/v1\(path)")["items"]?.array ?? [] }

    /// The person's own identifier.
    var own: String { get async throws { try await call("GET", "/api/v1/me")["id"]?.string ?? "" } }
}
