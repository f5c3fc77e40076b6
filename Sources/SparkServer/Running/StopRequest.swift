import ServiceLifecycle
import Synchronization

/// A request to stop. A request that comes before the services run is kept: as the last service, this one ends at once, and the
/// group with it.
final class StopRequest: Service {
    private let requests: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let requested = Atomic(false)

    init() { (requests, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    var isRequested: Bool { requested.load(ordering: .acquiring) }

    func request() {
        requested.store(true, ordering: .releasing)
        continuation.yield()
    }

    func run() async throws {
        for await _ in requests.cancelOnGracefulShutdown() { return }
    }
}
