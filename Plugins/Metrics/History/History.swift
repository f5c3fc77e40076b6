import Dispatch
import Foundation
import Logging
import SparkCore
import SparkKit
import SparkTelemetry
import Synchronization

/// The recent history of every metric: every ten seconds for an hour and every minute for a day, so that charts and alerts need
/// no other program. The metrics of the service level are also kept every ten minutes for a month.
///
/// The number of series is bounded. In memory a packed sample takes a byte or two if values change little. The history is saved
/// in the data directory every ten minutes and at shutdown, and loaded at start.
final class History: Sendable {
    static let interval = Duration.seconds(10)
    private static let maximumSeries = 6_000

    private let registry: MetricsRegistry
    /// Nil when the history is not saved.
    private let file: URL?
    private let clock: any WallClock
    private let logger: Logger
    private let state: Mutex<HistoryState>
    private let thread = DispatchQueue(label: "spark.history", qos: .utility)
    private let isOpen = Atomic(false)

    /// - Parameter directory: the data directory; nil saves nothing.
    init(
        registry: MetricsRegistry, directory: URL?, clock: any WallClock, logger: Logger,
        maximumSeries: Int = History.maximumSeries
    ) {
        self.registry = registry
        self.file = directory?.appending(path: "metrics/history.bin")
        self.clock = clock
        self.logger = logger
        self.state = Mutex(HistoryState(maximumSeries: maximumSeries))
    }

    /// Loads the saved history. Reads a file.
    func open() {
        guard let file else { return }
        let now = clock.now().milliseconds
        let isSound = state.withLock { HistoryFile.read(file, into: &$0, at: now) }
        if !isSound { logger.notice("metrics history starts empty: the saved one is damaged") }
    }

    /// Records all series.
    /// - Parameter isLast: whether the process ends.
    /// - Returns: whether it is time to save.
    @discardableResult
    func sample(isLast: Bool = false) -> Bool {
        let families = registry.snapshot()
        let now = clock.now().milliseconds
        return state.withLock { $0.add(families, at: now, isLast: isLast) }
    }

    /// Writes the file. Best effort: without it the charts start empty after a restart.
    func save() {
        guard let file else { return }
        let copy = state.withLock { $0 }
        do {
            try HistoryFile.write(copy, to: file)
        } catch {
            logger.notice("metrics history not saved", metadata: ["error": "\(type(of: error))"])
        }
    }

    /// When samples were taken (milliseconds): every ten seconds for the last hour, every minute before.
    func times(since: Int64) -> [Int64] { state.withLock { $0 }.times(since: since) }

    /// The names of the stored samples.
    var names: Set<String> { state.withLock { Set($0.keys.values.map(\.name)) } }
    var seriesCount: Int { state.withLock { $0.keys.count } }
    /// Samples dropped because the limit of series was reached.
    var dropped: Int { state.withLock { $0.dropped } }

    private func onThread(_ body: @escaping @Sendable (History) -> Void) async {
        await withCheckedContinuation { continuation in
            thread.async {
                body(self)
                continuation.resume()
            }
        }
    }
}

extension History: SeriesSource {
    func series(named name: String, since: Timestamp) -> [Series] {
        // Packed samples are decoded outside of the lock.
        state.withLock { $0 }.samples(named: name, since: since.milliseconds).map { key, samples in
            Series(
                labels: Dictionary(key.labels.map { ($0.name, $0.value) }) { first, _ in first },
                samples: samples.map { Sample(at: Timestamp(milliseconds: $0.time), value: $0.value) })
        }
    }
}

extension History {
    /// Opens at the start and samples every ten seconds; saves regularly and at graceful shutdown.
    var work: TimedWork {
        .sampled("metrics.history", every: Self.interval) {
            await self.onThread { history in
                if !history.isOpen.exchange(true, ordering: .relaxed) { history.open() }
                if history.sample() { history.save() }
            }
        }.finishing {
            await self.onThread { history in
                history.sample(isLast: true)
                history.save()
            }
        }
    }
}
