import Logging
import Metrics
import SparkCore
import SparkKit
import Synchronization

/// Collects signs of activity in memory and writes them a second later in one transaction.
///
/// A user who was noted less than ten minutes ago is not noted again. The memory is two generations of half the capacity each;
/// the older one is dropped as a whole. For a forgotten user, the store still enforces the ten minutes. Every request passes
/// here, so the memory is divided by user into parts with a lock each.
final class ActivityLog: ActivityRecording {
    static let distance = Duration.minutes(10)
    private static let interval = Duration.seconds(1)
    /// The most rows in one transaction, so that other writes do not wait long.
    private static let batch = 500

    /// The memory of some users.
    private final class Part: Sendable {
        struct State {
            var recent: [UserID: Timestamp] = [:]
            var older: [UserID: Timestamp] = [:]
            var waiting: [(user: UserID, at: Timestamp)] = []
        }

        let state = Mutex(State())
    }

    private static let partCount = 16

    private let store: any ProfilesStore
    private let clock: any WallClock
    private let metrics: ProfilesMetrics
    private let logger: Logger
    private let capacity: Int
    private let parts = (0..<partCount).map { _ in Part() }
    /// The users who wait in all parts.
    private let waiting = Atomic(0)

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
        let part = parts[Int(SplitMix64.mix(UInt64(bitPattern: user.rawValue)) % UInt64(Self.partCount))]
        let isDropped = part.state.withLock { state in
            if let last = state.recent[user] ?? state.older[user], now >= last, now - last < Self.distance {
                return false
            }
            guard takePlace() else { return true }
            if state.recent.count >= max(1, capacity / 2 / Self.partCount) { (state.older, state.recent) = (state.recent, [:]) }
            state.recent[user] = now
            state.waiting.append((user, now))
            return false
        }
        if isDropped { metrics.droppedActivity.increment() }
    }

    func lastActive(_ limit: Int) async throws -> [UserID] { try await store.lastActive(limit) }

    /// Takes one of the places of those who wait; false if there is none.
    private func takePlace() -> Bool {
        if waiting.wrappingAdd(1, ordering: .relaxed).oldValue < capacity { return true }
        waiting.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// Writes the collected activity. Best effort: a refused write is counted and dropped.
    func flush() async {
        var taken: [(user: UserID, at: Timestamp)] = []
        for part in parts {
            taken += part.state.withLock { state in
                defer { state.waiting = [] }
                return state.waiting
            }
        }
        waiting.wrappingSubtract(taken.count, ordering: .relaxed)
        var rest = taken[...]
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

extension ActivityLog {
    /// Makes who was noted, and who waits to be written, part of snapshots.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            parts.map { part in part.state.withLock { $0 } }
        } restore: { [self] saved in
            for (part, state) in zip(parts, saved) {
                let before = part.state.withLock { now in
                    defer { now = state }
                    return now.waiting.count
                }
                waiting.wrappingAdd(state.waiting.count - before, ordering: .relaxed)
            }
        }
    }

    /// Flushes every second, and once more at graceful shutdown.
    var work: TimedWork {
        .upkeep("profiles.activity", every: Self.interval, startsAtOnce: false) { await self.flush() }
            .finishing { await self.flush() }
    }
}
