import Logging
import ServiceLifecycle
import SparkCore
import SparkDecks
import SparkKit
import Synchronization

/// Counts whom decks showed, and writes it behind: a dictionary in memory now, one transaction some seconds later.
///
/// For the share of a score that helps those to be seen who were not yet. What a crash loses are seconds of it.
final class ExposureLog: Sendable {
    private static let interval = Duration.seconds(5)
    /// People who may wait to be written; further ones are not counted, which the next interval makes good.
    private static let capacity = 50_000
    /// Rows in one transaction at most, so that other writes do not wait for long.
    private static let batch = 500

    private struct State {
        var day: UInt16 = 0
        var shown: [UserID: Int] = [:]
    }

    private let store: any MatchingStore
    private let clock: any WallClock
    private let logger: Logger
    private let state = Mutex(State())

    init(store: any MatchingStore, clock: any WallClock, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    func record(_ people: [UserID]) {
        let today = clock.now().dayNumber
        state.withLock { state in
            // What the last day has not written by now counts for nobody any more.
            if state.day != today { state = State(day: today) }
            for person in people where state.shown.count < Self.capacity || state.shown[person] != nil {
                state.shown[person, default: 0] += 1
            }
        }
    }

    /// Writes what has gathered. Best effort: what the store refuses is given up.
    func flush() async {
        let (day, shown) = state.withLock { state in
            defer { state.shown = [:] }
            return (state.day, state.shown)
        }
        var rest = Array(shown)[...]
        while !rest.isEmpty {
            let batch = Dictionary(uniqueKeysWithValues: rest.prefix(Self.batch).map { ($0.key, $0.value) })
            rest = rest.dropFirst(Self.batch)
            do {
                try await store.addShown(batch, on: day)
            } catch {
                logger.warning(
                    "exposure not written", metadata: ["count": .stringConvertible(batch.count), "error": "\(type(of: error))"])
            }
        }
    }
}

extension ExposureLog: Service {
    /// Flushes every five seconds, and once more at the graceful shutdown.
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
