import Metrics
import SparkCore
import SparkKit

/// What Matching counts and measures.
struct MatchingMetrics: Sendable {
    static let declarations = [
        MetricDeclaration(swipesName, .counter, labels: ["action"], help: "Swipes recorded, by action; repeated ones left out."),
        MetricDeclaration(matchesName, .counter, help: "Matches made."),
        MetricDeclaration(durationName, .histogram, help: "Time to make a deck, in seconds."),
        MetricDeclaration(swipeName, .histogram, help: "Time to record a swipe, its commit included, in seconds."),
        MetricDeclaration(candidatesName, .histogram, help: "Candidates in a deck that was answered."),
    ]

    private static let swipesName = "spark_matching_swipes_total"
    private static let matchesName = "spark_matching_matches_total"
    private static let durationName = "spark_matching_duration_seconds"
    private static let swipeName = "spark_swipe_response_seconds"
    private static let candidatesName = "spark_matching_deck_candidates"

    private let swipes: [SwipeAction: Counter]
    private let matches = Counter(label: matchesName)
    private let duration = Recorder(label: durationName)
    private let swipeDuration = Recorder(label: swipeName)
    private let candidates = Recorder(label: candidatesName)

    init() {
        swipes = Dictionary(
            uniqueKeysWithValues: SwipeAction.allCases.map {
                ($0, Counter(label: Self.swipesName, dimensions: [("action", $0.wire)]))
            })
    }

    func swiped(_ action: SwipeAction, _ outcome: SwipeOutcome, in duration: Duration) {
        swipeDuration.record(duration.inSeconds)
        if !outcome.isRepeated { swipes[action]?.increment() }
        if outcome.isNewMatch { matches.increment() }
    }

    func dealt(_ deck: Deck, in duration: Duration) {
        self.duration.record(duration.inSeconds)
        candidates.record(deck.suggestions.count)
    }
}
