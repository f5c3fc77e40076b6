package import HTTPTypes
import Hummingbird
import NIOCore
package import ServiceLifecycle
import SparkHTTP
import SparkKit
import SparkStorage
import Synchronization

/// The server without a socket, for tests: the same router, checks and services.
extension Server {
    /// Services that run events and the modules' services until the task is cancelled or the group shuts down.
    package var backgroundServices: [any Service] { [events] + inProcessServices }

    /// Answers a request through the whole edge.
    /// - Parameter isOperator: whether the request comes through the operators' listener.
    package func answer(
        _ request: HTTPRequest, body: [UInt8], peerAddress: String, isOperator: Bool = false
    ) async throws -> (head: HTTPResponse, body: [UInt8]) {
        let context = EdgeContext(source: InProcessSource(logger: logger, peerAddress: peerAddress))
        let response = try await (isOperator ? edge.operatorDoor : edge.publicDoor).respond(
            to: Request(head: request, body: RequestBody(buffer: ByteBuffer(bytes: body))), context: context)
        let collector = BodyCollector()
        try await response.body.write(collector)
        return (response.head, collector.bytes)
    }

    /// Returns when every event published so far has been handled.
    package func drainEvents() async { await events.drain() }

    /// Runs all durable jobs that are due.
    package func runOutbox() async throws {
        while try await outbox.runDue() {}
    }
}

/// Collects the bytes that a response writes.
private final class BodyCollector: ResponseBodyWriter, Sendable {
    private let collected = Mutex<[UInt8]>([])

    var bytes: [UInt8] { collected.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws {
        collected.withLock { $0.append(contentsOf: buffer.readableBytesView) }
    }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
