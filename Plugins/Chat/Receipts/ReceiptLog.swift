import Logging
import ServiceLifecycle
import SparkCore
import Synchronization

/// Gathers how far devices have their users' streams: the latest word of each user now, one write a second later.
final class ReceiptLog: Sendable {
    /// Users who may wait; what further ones say is dropped, and said again with their next event.
    private static let capacity = 50_000
    /// Users in one write at most, so that other writes do not wait for long.
    private static let batch = 200
    private static let interval = Duration.seconds(1)

    private let store: any ChatStore
    private let logger: Logger
    private let waiting = Mutex<[UserID: Int64]>([:])

    init(store: any ChatStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// A device of the user has everything up to an offset. Returns at once.
    func note(_ offset: Int64, of user: UserID) {
        waiting.withLock { waiting in
            if let old = waiting[user] {
                waiting[user] = max(old, offset)
            } else if waiting.count < Self.capacity {
                waiting[user] = offset
            }
        }
    }

    /// Writes what has gathered. Best effort: what the store refuses is given up, as the next word of the same user makes it
    /// good.
    func flush() async {
        var rest = waiting.withLock { waiting in
            defer { waiting = [:] }
            return Array(waiting)
        }[...]
        while !rest.isEmpty {
            let batch = Dictionary(rest.prefix(Self.batch).map { ($0.key, $0.value) }, uniquingKeysWith: max)
            rest = rest.dropFirst(Self.batch)
            do {
                for (user, offset) in try await store.received(batch) { note(offset, of: user) }
            } catch {
                logger.warning(
                    "receipts not written", metadata: ["count": .stringConvertible(batch.count), "error": "\(type(of: error))"])
            }
        }
    }
}

extension ReceiptLog: Service {
    /// Flushes every second, and once more at the graceful shutdown.
    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: Self.interval)
                await self.flush()
            }
        }
        await flush()
    }
}
