import SparkCore
import SparkDecks

/// A request for a deck: the viewer, the number of candidates, and the rules at this moment.
struct DeckQuery: Sendable {
    let viewer: UserID
    /// At least 1.
    let limit: Int
    let now: Timestamp
    /// A person without activity for this many UTC days is in no deck.
    let activeDays: Int
    /// How long a skip hides a person.
    let skipLifetime: Duration
    let scorer: any CandidateScoring

    /// The earliest last activity of a candidate.
    var activeSince: Timestamp { now.activeSince(days: activeDays) }
}

/// The best candidates of one stage, best first.
struct Ranking: Sendable {
    let stage: DeckStage
    let ranks: [DeckRank]
    /// There is no further candidate in this stage.
    let isComplete: Bool
    /// The viewer's published place, and the genders that the viewer seeks.
    let place: Coordinate
    let interestedIn: GenderSet
    /// How far the search looked, over all stages. Nobody beyond could be in the ranking.
    let reach: SearchReach
    /// The day on which ages were computed.
    let day: CivilDate
    /// When the first of the viewer's skips expires and its target returns; midnight UTC at the latest.
    let validUntil: Timestamp
}
