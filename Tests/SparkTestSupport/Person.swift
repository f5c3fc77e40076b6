import Foundation
package import SparkClient
package import SparkCore

/// A person with an account on a server under test. `PeopleServer.person` makes one.
package struct Person<Server: PeopleServer>: Sendable {
    package let id: UserID
    package let email: String
    /// The access token of the session that registering opened.
    package let token: String
    package let refreshToken: String
    package let server: Server

    /// The session of the access token, which is a JSON Web Token.
    package var session: SessionID {
        let claims = token.split(separator: ".").dropFirst().first ?? ""
        let text = claims.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        let padded = String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
        let json = try? JSONParser.parse(Array(Data(base64Encoded: padded) ?? Data()))
        return json?["sid"]?.string.flatMap { SessionID(wire: $0) } ?? SessionID(rawValue: 0)
    }

    package var principal: Principal { Principal(user: id, session: session, expiresAt: Timestamp(milliseconds: .max)) }

    /// The same person with another token of the same session.
    package func with(token: String) -> Person {
        Person(id: id, email: email, token: token, refreshToken: refreshToken, server: server)
    }

    /// - Returns: the answer's body; its match is null if there is none.
    @discardableResult
    package func swipe(_ target: UserID, _ action: String = "like") async throws -> JSONValue {
        let answer = try await server.swipe(self, target, action)
        return try answer.expected(200).json
    }
}

extension Person where Server == SparkClient {
    /// A client with the person's token.
    package var client: SparkClient { server.authenticated(with: token) }

    package func deck(_ limit: Int = 50) async throws -> JSONValue {
        try await client.call("GET", "/api/v1/matches/suggestions?limit=\(limit)")
    }
}
