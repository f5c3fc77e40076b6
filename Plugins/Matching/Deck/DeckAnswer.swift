import SparkDecks

/// A deck as it is sent, and who is in it.
struct DeckAnswer: Sendable {
    let stage: DeckStage
    /// The people of the deck, best first.
    let ranks: [DeckRank]
    /// The JSON of the deck.
    let body: [UInt8]
}
