import Logging
import SparkCore
import SparkDecks
import SparkKit

/// Fills the hot index whenever there is none, and reports its metrics.
struct DeckIndexService: Sendable {
    private static let interval = Duration.seconds(1)
    /// The time between reports. A report reads every person in the index.
    private static let reportInterval = Duration.seconds(15)

    let feed: DeckIndexSync
    let metrics: MatchingMetrics
    let clock: any WallClock
    let logger: Logger

    var works: [TimedWork] {
        [
            .upkeep("matching.index", every: Self.interval) { if feed.index == nil { await fill() } },
            .sampled("matching.index_report", every: Self.reportInterval) { report() },
        ]
    }

    private func report() {
        if let index = feed.index { metrics.found(index, at: clock.now()) }
    }

    private func fill() async {
        let start = ContinuousClock.now
        do {
            try await feed.fill()
            logger.info(
                "hot index filled",
                metadata: [
                    "people": .stringConvertible(feed.index?.count ?? 0),
                    "seconds": .stringConvertible(start.duration(to: .now).inSeconds),
                ])
            report()
        } catch {
            logger.error("hot index not filled; decks come from the R-tree", metadata: ["error": "\(type(of: error))"])
        }
    }
}
