package import HTTPTypes
import NIOHTTP1
package import ServiceLifecycle
import SparkCore
import SparkHTTP
import SparkKit
import SparkStorage
import SparkStream

/// The server without a socket, for tests: the same router, checks and services.
extension Server {
    /// Services that run events and the modules' services until the task is cancelled or the group shuts down.
    package var backgroundServices: [any Service] {
        let works = TimedWorkService(works: modules.all(\.timedWorks), gate: fixtureTime?.gate)
        return [events, works] + inProcessServices
    }

    /// Answers a request through the whole edge.
    /// - Parameter isOperator: whether the request comes through the operators' listener.
    package func answer(
        _ request: HTTPRequest, body: [UInt8], peerAddress: String, isOperator: Bool = false
    ) async throws -> (head: HTTPResponse, body: [UInt8]) {
        var headers = HTTPHeaders(request.headerFields.map { ($0.name.rawName, $0.value) })
        if let host = request.authority { headers.add(name: "Host", value: host) }
        if !body.isEmpty { headers.replaceOrAdd(name: "Content-Length", value: "\(body.count)") }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method.rawValue), uri: request.path ?? "/", headers: headers)
        let door = isOperator ? edge.operatorDoor : edge.publicDoor
        let answer = await door.respond(
            to: EdgeRequest(head, body: body, peerAddress: peerAddress, random: SystemRandomSource()))
        return try await answer.collected()
    }

    /// How many clients have a connection of the stream.
    package var connectionCount: Int { modules.surroundings.hub.connectionCount }

    /// Returns when every event published so far has been handled.
    package func drainEvents() async { await events.drain() }

    /// Runs all durable jobs that are due.
    package func runOutbox() async throws {
        while try await outbox.runDue() {}
    }
}
