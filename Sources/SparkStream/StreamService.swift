package import Logging
import ServiceLifecycle
import SparkCore
import SparkHTTP
import SparkStorage

/// Maintains the stream while the server runs, and closes its connections in order when the server stops: new connections are
/// refused, received frames are committed and answered, then each client is sent a reconnect time, spread over ten seconds, and
/// closed.
package struct StreamService: Service {
    /// How long connections may take to close; then they are aborted.
    private let patience: Duration
    private static let spread = 10

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
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await watch() }
            group.addTask { await forget() }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        await drain()
    }

    /// Once a second: records metrics, and ends expired feeds.
    private func watch() async {
        var turn = 0
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            gateway.metrics.connected(gateway.hub.connectionCount, sockets: gateway.hub.socketCount)
            gateway.hub.endExpiredFeeds()
            turn += 1
            if turn.isMultiple(of: 60) { gateway.tickets.sweep() }
        }
    }

    /// Once an hour: deletes events past retention, a few users per write.
    private func forget() async {
        while (try? await Task.sleep(for: .seconds(3_600))) != nil {
            do {
                try await gateway.hub.forgetEvents(olderThan: .days(gateway.configuration.eventDays))
            } catch {
                logger.warning("forgetting events failed", metadata: ["error": .string(ErrorSummary.of(error))])
            }
        }
    }

    private func drain() async {
        let hub = gateway.hub
        hub.beginDraining()
        hub.endFeeds()
        // This write runs after everything that was queued before. It is refused only when writing is no longer possible.
        _ = try? await hub.storage.write { _ in }
        let (random, spread) = (gateway.random, UInt64(Self.spread + 1))
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

extension Hub {
    /// Deletes all users' events that are older than `age`, in small writes.
    package func forgetEvents(olderThan age: Duration) async throws {
        var user: Int64? = Int64.min
        while let after = user {
            user = try await storage.write { transaction in
                try UserEventLog.forget(before: transaction.now - age, usersAfter: after, limit: 100, in: transaction.session)
            }
        }
    }
}
