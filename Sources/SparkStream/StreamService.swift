package import Logging
import ServiceLifecycle
import SparkCore
import SparkHTTP
import SparkStorage

/// Closes the stream's connections in order when the server stops: new connections are refused, received frames are committed and
/// answered, then each client is sent a reconnect time and closed. The times are spread, so that the next server is not asked by all at
/// once: over a second for each 2,500 connections, and at most over ten.
package struct StreamService: Service {
    /// How long connections may take to close; then they are aborted.
    private let patience: Duration
    private static let longestSpread = 10
    private static let connectionsASecond = 2_500

    private let gateway: StreamGateway
    private let logger: Logger

    /// - Parameter patience: how long connections may take to close by themselves.
    package init(gateway: StreamGateway, logger: Logger, patience: Duration = .seconds(5)) {
        self.patience = patience
        self.gateway = gateway
        self.logger = logger
    }

    /// Runs until the server stops, then closes the connections.
    package func run() async throws {
        try? await gracefulShutdown()
        await drain()
    }

    private func drain() async {
        let hub = gateway.hub
        hub.beginDraining()
        hub.endFeeds()
        // This write runs after everything that was queued before. It is refused only when writing is no longer possible.
        _ = try? await hub.storage.write { _ in }
        let seconds = min(Self.longestSpread, max(1, hub.connectionCount / Self.connectionsASecond))
        let (random, spread) = (gateway.random, UInt64(seconds + 1))
        hub.forEachSession { $0.sayGoodbye(afterSeconds: Int(random.next() % spread)) }
        let deadline = ContinuousClock.now + patience
        while hub.connectionCount > 0, ContinuousClock.now < deadline {
            // The service group cancels this task when it takes too long.
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { break }
        }
        if hub.connectionCount > 0 {
            logger.info("connections were cut", metadata: ["count": .stringConvertible(hub.connectionCount)])
            hub.forEachSession { $0.abort() }
        }
    }
}
