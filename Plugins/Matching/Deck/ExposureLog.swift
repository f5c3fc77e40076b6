import Logging
import SparkCore
import SparkDecks
import SparkKit
import Synchronization

/// Counts how often decks show each person: in memory at once, in one transaction some seconds later.
///
/// The counts feed the part of a score that helps people who were rarely shown. A crash loses a few seconds of them.
final class ExposureLog: Sendable {
    private static let interval = Duration.seconds(5)
    /// The most people that may wait to be written. Further ones are not counted until the next interval.
    private static let capacity = 50_000
    /// The most rows in one transaction, so that other writes do not wait long.
    private static let batch = 500

    /// The counts of some decks, under a lock of their own. Requests on several threads seldom wait for each other.
    private final class Part: Sendable {
        struct State {
            var day: UInt16 = 0
            var shown: [UserID: Int] = [:]
        }

        let state = Mutex(State())
    }

    private static let partCount = 16

    private let store: any MatchingStore
    private let clock: any WallClock
    private let logger: Logger
    private let parts = (0..<partCount).map { _ in Part() }

    init(store: any MatchingStore, clock: any WallClock, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// Counts the people of one deck.
    /// - Parameter viewer: whose deck it is; decides which lock is taken.
    func record(_ people: some Sequence<UserID>, to viewer: UserID) {
        let today = clock.now().dayNumber
        let part = parts[Int(SplitMix64.mix(UInt64(bitPattern: viewer.rawValue)) % UInt64(Self.partCount))]
        part.state.withLock { state in
            // Unwritten counts of a past day no longer affect any score.
            if state.day != today { state = Part.State(day: today) }
            for person in people where state.shown.count < Self.capacity / Self.partCount || state.shown[person] != nil {
                state.shown[person, default: 0] += 1
            }
        }
    }

    /// Writes the collected counts. Best effort: a refused write is dropped.
    func flush() async {
        var (day, shown): (UInt16, [UserID: Int]) = (0, [:])
        for part in parts {
            let state = part.state.withLock { state in
                defer { state.shown = [:] }
                return state
            }
            guard state.day >= day else { continue }
            if state.day > day { (day, shown) = (state.day, [:]) }
            shown.merge(state.shown, uniquingKeysWith: +)
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

extension ExposureLog {
    /// Makes the unwritten counts part of snapshots.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            parts.map { part in part.state.withLock { $0 } }
        } restore: { [self] saved in
            for (part, state) in zip(parts, saved) { part.state.withLock { $0 = state } }
        }
    }

    /// Flushes every five seconds, and once more at graceful shutdown.
    var work: TimedWork {
        .upkeep("matching.exposure", every: Self.interval, startsAtOnce: false) { await self.flush() }
            .finishing { await self.flush() }
    }
}
