import SparkCore
import SparkDecks

/// Whose deck, how much of it, when.
struct DeckQuery: Sendable {
    let viewer: UserID
    /// At least 1.
    let limit: Int
    let now: Timestamp
    /// Who was not active for so many UTC days is in no deck.
    let activeDays: Int
    /// For so long a skip hides somebody.
    let skipLifetime: Duration
    let scorer: any CandidateScoring

    var activeSince: Timestamp { now.activeSince(days: activeDays) }
}

/// The best candidates of one stage, best first.
struct Ranking: Sendable {
    let stage: DeckStage
    let ranks: [DeckRank]
    /// Nobody else is in this stage.
    let isComplete: Bool
    /// The viewer's published place, and whom the viewer seeks.
    let place: Coordinate
    let interestedIn: GenderSet
    /// How far was looked, over all stages: nobody from beyond could be in it.
    let reach: SearchReach
    /// Ages are those of this day.
    let day: CivilDate
    /// When the first of the viewer's skips runs out, and somebody comes back; midnight at the latest.
    let validUntil: Timestamp
}

/// A deck as it is dealt.
struct Deck: Sendable {
    let stage: DeckStage
    let suggestions: [Suggestion]
    /// The viewer's published place.
    let viewerPlace: Coordinate
}

/// One candidate of a deck.
struct Suggestion: Sendable {
    let profile: Profile
    /// Millionths.
    let score: Int
}
