import Logging
import ServiceLifecycle
import SparkCore
import SparkDecks

/// Fills the hot index whenever there is none, and reports its metrics.
struct DeckIndexService: Service {
    private static let interval = Duration.seconds(1)
    /// Seconds between reports. A report reads every person in the index.
    private static let reportEvery = 15

    let feed: DeckIndexSync
    let metrics: MatchingMetrics
    let clock: any WallClock
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var turn = 0
            while true {
                if let index = feed.index {
                    if turn % Self.reportEvery == 0 { metrics.found(index, at: clock.now()) }
                    turn += 1
                } else {
                    await fill()
                }
                try await Task.sleep(for: Self.interval)
            }
        }
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
        } catch {
            logger.error("hot index not filled; decks come from the R-tree", metadata: ["error": "\(type(of: error))"])
        }
    }
}
