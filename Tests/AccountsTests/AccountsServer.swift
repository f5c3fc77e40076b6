import SparkAccounts
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

/// Runs a test against its own server; afterwards the data must be sound.
func withServer(
    _ settings: [String] = [], modules: [any SparkModule.Type] = [AccountsModule.self, ProbeModule.self],
    _ body: (TestServer) async throws -> Void
) async throws {
    try await withServer(TestServer.start(modules, settings: settings)) { server in
        try await body(server)
        #expect(try server.check() == [])
    }
}

/// The tokens that a person has after registering or logging in.
struct Grant: Sendable {
    let user: String
    let access: String
    let refresh: String

    /// - Parameter user: the owner, for an answer that does not name one.
    init(_ answer: TestAnswer, user: String = "") throws {
        self.user = answer.json["user"]?["id"]?.string ?? user
        self.access = try #require(answer.json["access_token"]?.string)
        self.refresh = try #require(answer.json["refresh_token"]?.string)
    }
}

/// The body of a valid registration with some changes.
func registration(_ changes: [String: JSONValue] = [:], without dropped: String? = nil) -> String {
    let form = Credentials.registration(
        email: "ada@example.org", interestedIn: ["man", "nonbinary"], birthDate: "1995-12-10")
    guard case .object(let usual) = form else { return "" }
    let kept = usual.filter { changes[$0.key] == nil && $0.key != dropped }
    return JSONWriter.string(of: JSONValue.object(kept + changes.map { JSONMember($0.key, $0.value) }))
}

extension TestServer {
    func register(
        _ changes: [String: JSONValue] = [:], agent: String = "tests/1.0", from address: String = "127.0.0.1"
    ) async throws -> Grant {
        let answer = try await call(
            "POST", "/api/v1/auth/register", json: registration(changes), headers: ["User-Agent": agent], address: address)
        try #require(answer.status == 201, "\(answer.body)")
        return try Grant(answer)
    }

    func logIn(
        _ email: String = "ada@example.org", _ password: String = Credentials.password, from address: String? = nil
    ) async throws -> TestAnswer {
        let body: JSONValue = ["email": .string(email), "password": .string(password)]
        return try await call(
            "POST", "/api/v1/auth/login", json: JSONWriter.string(of: body), address: address ?? "127.0.0.1")
    }

    func refresh(_ token: String, from address: String = "127.0.0.1") async throws -> TestAnswer {
        let body: JSONValue = ["refresh_token": .string(token)]
        return try await call("POST", "/api/v1/auth/refresh", json: JSONWriter.string(of: body), address: address)
    }

    /// The status of a call that only needs a valid token.
    func status(with token: String) async throws -> Int {
        try await call("GET", "/api/v1/auth/sessions", token: token).status
    }

    func events() async throws -> [String] {
        await drainEvents()
        return try port(EventLog.self).all
    }
}

extension TestAnswer {
    var code: String? { json["code"]?.string }
}
