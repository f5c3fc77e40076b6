import Logging
import Metrics
import ServiceLifecycle
import SparkCore
import Synchronization

/// Collects signs of activity in memory and writes them a second later in one transaction.
///
/// A user who was noted less than ten minutes ago is not noted again. The memory is two generations of half the capacity each;
/// the older one is dropped as a whole. For a forgotten user, the store still enforces the ten minutes.
final class ActivityLog: ActivityRecording {
    static let distance = Duration.minutes(10)
    private static let interval = Duration.seconds(1)
    /// The most rows in one transaction, so that other writes do not wait long.
    private static let batch = 500

    private struct State {
        var recent: [UserID: Timestamp] = [:]
        var older: [UserID: Timestamp] = [:]
        var waiting: [(user: UserID, at: Timestamp)] = []
    }

    private let store: any ProfilesStore
    private let clock: any WallClock
    private let metrics: ProfilesMetrics
    private let logger: Logger
    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameter capacity: how many users are remembered, and how many may wait to be written.
    init(
        store: any ProfilesStore, clock: any WallClock, metrics: ProfilesMetrics, logger: Logger, capacity: Int = 100_000
    ) {
        self.store = store
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
        self.capacity = capacity
    }

    func recordActivity(of user: UserID) {
        let now = clock.now()
        let isDropped = state.withLock { state in
            if let last = state.recent[user] ?? state.older[user], now >= last, now - last < Self.distance {
                return false
            }
            guard state.waiting.count < capacity else { return true }
            if state.recent.count >= capacity / 2 { (state.older, state.recent) = (state.recent, [:]) }
            state.recent[user] = now
            state.waiting.append((user, now))
            return false
        }
        if isDropped { metrics.droppedActivity.increment() }
    }

    /// Writes the collected activity. Best effort: a refused write is counted and dropped.
    func flush() async {
        var rest = state.withLock { state in
            let waiting = state.waiting
            state.waiting = []
            return waiting[...]
        }
        while !rest.isEmpty {
            let batch = Array(rest.prefix(Self.batch))
            rest = rest.dropFirst(Self.batch)
            do {
                try await store.record(batch, apart: Self.distance)
            } catch {
                metrics.droppedActivity.increment(by: batch.count)
                logger.warning(
                    "activity not written", metadata: ["count": .stringConvertible(batch.count), "error": "\(type(of: error))"])
            }
        }
    }
}

extension ActivityLog: Service {
    /// Flushes every second, and once more at graceful shutdown.
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
