import HTTPTypes
import NIOHTTP1
import SparkCore
import SparkHTTP
import SparkKit
import SparkStream

/// The running server as the routes of the fixture use it.
struct FixtureServer: FixtureServing {
    let edge: Edge
    let gate: RequestGate?
    let modules: ConstructedModules
    let random: any RandomSource

    /// A request of the server itself.
    static func request(
        _ method: String, _ path: String, token: String?, body: JSONValue?, random: any RandomSource
    ) -> EdgeRequest {
        let bytes = body.map { JSONWriter.bytes(of: $0) } ?? []
        var headers: HTTPHeaders = ["User-Agent": "fixture"]
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        if !bytes.isEmpty {
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: "\(bytes.count)")
        }
        let head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: path, headers: headers)
        return EdgeRequest(head, body: bytes, peerAddress: "", random: random)
    }

    func call(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> Reply {
        let request = Self.request(method, path, token: token, body: body, random: random)
        let answer = try await edge.publicDoor.respond(to: request).collected()
        var reply = Reply(answer.head.status, json: answer.body)
        for name in [HTTPField.Name.contentType, .retryAfter] { reply.headers[name] = answer.head.headerFields[name] }
        return reply
    }

    func asOne<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        guard let gate else { return try await body() }
        return try await gate.asOne(body)
    }

    func port<Port>(_ type: Port.Type) -> Port? { modules.port(type) }

    func cutStreams(of user: UserID) -> Bool { modules.surroundings.hub.cut(user) }
}
