import Metrics
import SparkKit

/// What Matching counts and measures.
struct MatchingMetrics: Sendable {
    static let declarations = [
        MetricDeclaration(swipesName, .counter, labels: ["action"], help: "Swipes recorded, by action; repeated ones left out."),
        MetricDeclaration(matchesName, .counter, help: "Matches made."),
        MetricDeclaration(calculationName, .histogram, help: "Time to make a deck, in seconds."),
        MetricDeclaration(candidatesName, .histogram, help: "Candidates in a deck that was answered."),
    ]

    private static let swipesName = "spark_matching_swipes_total"
    private static let matchesName = "spark_matching_matches_total"
    private static let calculationName = "spark_matching_calculation_seconds"
    private static let candidatesName = "spark_matching_deck_candidates"

    private let swipes: [SwipeAction: Counter]
    private let matches = Counter(label: matchesName)
    private let calculation = Recorder(label: calculationName)
    private let candidates = Recorder(label: candidatesName)

    init() {
        swipes = Dictionary(
            uniqueKeysWithValues: SwipeAction.allCases.map {
                ($0, Counter(label: Self.swipesName, dimensions: [("action", $0.wire)]))
            })
    }

    func swiped(_ action: SwipeAction, _ outcome: SwipeOutcome) {
        if !outcome.isRepeated { swipes[action]?.increment() }
        if outcome.isNewMatch { matches.increment() }
    }

    func dealt(_ deck: Deck, in duration: Duration) {
        let (seconds, attoseconds) = duration.components
        calculation.record(Double(seconds) + Double(attoseconds) / 1e18)
        candidates.record(deck.suggestions.count)
    }
}
