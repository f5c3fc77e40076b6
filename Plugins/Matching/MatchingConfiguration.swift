import SparkCore
import SparkDecks
public import SparkKit

/// The configuration section `matching`.
public struct MatchingConfiguration: ModuleConfiguration {
    /// The settings of the section, with their ranges and defaults.
    public static let settings: [Setting] = [
        .integer("likes_per_day", 1...100_000, default: 200, "Likes that one person may give in a UTC day."),
        .integer("superlikes_per_day", 0...10_000, default: 5, "Superlikes that one person may give in a UTC day."),
        .integer("undo_seconds", 0...86_400, default: 300, "Age at which the last swipe can no longer be undone."),
        .integer("skip_hours", 1...8_760, default: 24, "Hours for which a skipped person stays out of the deck."),
        .integer("active_days", 1...3_650, default: 30, "Days without activity after which a person leaves all decks."),
        .number("distance_weight", 0...1, default: 0.45, "Weight of nearness in the score; the weights are scaled to 1."),
        .number("recency_weight", 0...1, default: 0.25, "Weight of recent activity in the score."),
        .number("age_weight", 0...1, default: 0.15, "Weight of how well the ages suit each other in the score."),
        .number("interests_weight", 0...1, default: 0.15, "Weight of shared interests in the score."),
        .number(
            "likelihood_weight", 0...1, default: 0.1,
            "Weight of how likely both are to like each other, by how often each likes and is liked."),
        .number(
            "exposure_weight", 0...1, default: 0.05,
            "Weight of having been shown too little yesterday, so that everybody is seen."),
        .integer(
            "evidence_days", 1...3_650, default: 180,
            "Days for which a report's evidence is kept after the report, or after the decision about it, even if a person in it is erased."
        ),
        .integer(
            "evidence_messages", 0...1_000, default: 50,
            "How many of the newest messages between two people are kept as evidence when one reports the other."),
        .integer(
            "shown_per_day", 1...255, default: 20,
            "Number of decks on a UTC day after which a person gets no bonus for being shown too little."),
    ]

    let swipes: SwipeRules
    let activeDays: Int
    let evidenceLifetime: Duration
    let evidenceMessages: Int
    let scorer: WeightedScorer

    /// Reads the section from checked values.
    public init(_ values: SettingValues) {
        self.swipes = SwipeRules(
            likesPerDay: values.integer("likes_per_day"), superlikesPerDay: values.integer("superlikes_per_day"),
            skipLifetime: .hours(values.integer("skip_hours")), undoLifetime: values.seconds("undo_seconds"))
        self.activeDays = values.integer("active_days")
        self.evidenceLifetime = .days(values.integer("evidence_days"))
        self.evidenceMessages = values.integer("evidence_messages")
        self.scorer = WeightedScorer(
            .init(
                distance: values.number("distance_weight"), recency: values.number("recency_weight"),
                age: values.number("age_weight"), interests: values.number("interests_weight"),
                likelihood: values.number("likelihood_weight"), exposure: values.number("exposure_weight")),
            activeDays: activeDays, leastShown: values.integer("shown_per_day"))
    }
}
