package import SparkClient
package import SparkCore

/// A server with the routes of a fixture, in this process or in another one.
package protocol SteeredServer: PeopleServer {
    /// The token for the routes of the fixture.
    var steeringToken: String? { get }
}

extension TestServer: SteeredServer {
    package var steeringToken: String? { adminToken }
}

extension SparkClient: SteeredServer {
    /// The client of the operators has the token.
    package var steeringToken: String? { token }
}

extension SteeredServer {
    /// A call of the fixture's own routes.
    /// - Parameter path: below `/__test__`.
    @discardableResult
    package func steer(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> TestAnswer {
        try await answer(method, "/__test__\(path)", token: steeringToken, body: body)
    }

    /// Makes a person through the fixture.
    package func made(_ parts: JSONValue = [:]) async throws -> Person<Self> {
        let answer = try await steer("POST", "/users", parts).expected(201)
        guard let id = answer.json["user"]?["id"]?.string.flatMap({ UserID(wire: $0) }),
            let token = answer.json["access_token"]?.string, let refreshToken = answer.json["refresh_token"]?.string
        else { throw UnexpectedAnswer(answer) }
        return Person(id: id, email: "", token: token, refreshToken: refreshToken, server: self)
    }

    /// Asks for a fault.
    package func fault(_ body: JSONValue) async throws { try await steer("POST", "/faults", body).expected(200) }

    /// The items of the outbox.
    /// - Parameter query: its parameters.
    package func sent(_ query: String) async throws -> [JSONValue] {
        try await steer("GET", "/outbox?\(query)").expected(200).json["items"]?.array ?? []
    }
}
