import HTTPTypes
import SparkCore
import SparkHTTP
import SparkKit

/// A server for tests before anybody is let in: its scenario is loaded through its own routes.
struct EarlyServer: ScenarioServer {
    let server: Server
    let people: FixturePeople

    var now: Timestamp { server.options.clock.now() }

    func call(
        _ method: String, _ path: String, token: String?, body: JSONValue?
    ) async throws -> (status: Int, body: JSONValue) {
        let request = FixtureServer.request(
            method, path, token: token, body: body, random: server.options.random)
        let answer = await server.edge.publicDoor.respondEarly(to: request)
        let (reply, content) = try await answer.collected()
        return (reply.status.code, (try? JSONParser.parse(content)) ?? .null)
    }

    func port<Port>(_ type: Port.Type) -> Port? { server.port(type) }
}
