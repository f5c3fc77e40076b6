import Metrics
import SparkCore
import SparkDecks
import SparkKit

/// The metrics of Matching.
struct MatchingMetrics: Sendable {
    static let declarations = [
        MetricDeclaration(
            swipesName, .counter, labels: ["action"], help: "Swipes recorded, by action; repeated ones are not counted."),
        MetricDeclaration(matchesName, .counter, help: "Matches made."),
        MetricDeclaration(
            durationName, .histogram, help: "Time to make a deck, in seconds.",
            buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]),
        MetricDeclaration(
            swipeName, .histogram, help: "Time to record a swipe, its commit included, in seconds.",
            buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1]),
        MetricDeclaration(
            candidatesName, .histogram, help: "Candidates in each answered deck.",
            buckets: [0, 1, 2, 5, 10, 20, 50, 100]),
        MetricDeclaration(reportsName, .counter, labels: ["category"], help: "Reports of people, by category."),
        MetricDeclaration(
            giniName, .gauge,
            help:
                "Gini coefficient of how often people active in the last day were shown today; 0 when all were shown equally often."
        ),
        MetricDeclaration(indexedName, .gauge, help: "People in the hot index."),
        MetricDeclaration(indexBytesName, .gauge, help: "Memory of the hot index, in bytes."),
    ]

    private static let swipesName = "spark_matching_swipes_total"
    private static let matchesName = "spark_matching_matches_total"
    private static let reportsName = "spark_reports_total"
    private static let durationName = "spark_matching_duration_seconds"
    private static let swipeName = "spark_swipe_response_seconds"
    private static let candidatesName = "spark_matching_deck_candidates"
    private static let giniName = "spark_matching_impressions_gini_ratio"
    private static let indexedName = "spark_matching_index_people"
    private static let indexBytesName = "spark_matching_index_bytes"

    private let swipes: [SwipeAction: Counter]
    private let reports: [Report.Category: Counter]
    private let matches = Counter(label: matchesName)
    private let duration = Metrics.Timer(label: durationName)
    private let swipeDuration = Metrics.Timer(label: swipeName)
    private let candidates = Recorder(label: candidatesName)
    private let gini = Gauge(label: giniName)
    private let indexed = Gauge(label: indexedName)
    private let indexBytes = Gauge(label: indexBytesName)

    init() {
        swipes = Dictionary(
            uniqueKeysWithValues: SwipeAction.allCases.map {
                ($0, Counter(label: Self.swipesName, dimensions: [("action", $0.wire)]))
            })
        reports = Dictionary(
            uniqueKeysWithValues: Report.Category.allCases.map {
                ($0, Counter(label: Self.reportsName, dimensions: [("category", $0.rawValue)]))
            })
    }

    func reported(_ category: Report.Category) { reports[category]?.increment() }

    func swiped(_ action: SwipeAction, _ outcome: SwipeOutcome, in duration: Duration) {
        swipeDuration.record(duration: duration)
        if !outcome.isRepeated { swipes[action]?.increment() }
        if outcome.isNewMatch { matches.increment() }
    }

    func found(_ index: DeckIndex, at now: Timestamp) {
        indexed.record(index.count)
        indexBytes.record(index.bytes)
        gini.record(Gini.coefficient(index.exposure(on: now.dayNumber, activeSince: EpochSecond(now - .days(1)))))
    }

    func dealt(_ deck: DeckAnswer, in duration: Duration) {
        self.duration.record(duration: duration)
        candidates.record(deck.ranks.count)
    }
}
