import SparkCache
import SparkCore
import SparkDecks
import SparkKit

/// An answer that is sent again while nothing has changed that its bytes depend on.
///
/// The bytes follow from the ranks in their order (who, with which score and which version of the profile), from the stage, the
/// viewer's published place and the day. All of these are compared with those of the new request. What remains is whether a
/// profile still has the version of its rank: each change of a profile makes the tag of its user stale before it is answered.
final class KeptDeck: Sendable {
    let answer: DeckAnswer
    private let place: Coordinate
    private let day: CivilDate
    /// The tags of the people, stamped before their profiles were read.
    private let people: Dependencies

    init(_ answer: DeckAnswer, of ranking: Ranking, people: Dependencies) {
        self.answer = answer
        self.place = ranking.place
        self.day = ranking.day
        self.people = people
    }

    /// Whether the front of a ranking has the same bytes now.
    func answers(_ front: [DeckRank], of ranking: Ranking) -> Bool {
        answer.stage == ranking.stage && place == ranking.place && day == ranking.day && answer.ranks == front
            && people.areCurrent
    }
}

extension KeptDeck: CacheValue {
    var cacheCost: Int { 320 + answer.body.count + answer.ranks.count * 64 }

    /// Nothing: stamps are valid in this process only, and kept answers are not spilled.
    func encode(into bytes: inout [UInt8]) {}
    static func decode(_ bytes: [UInt8]) -> KeptDeck? { nil }
}

/// The answer to a request for a deck, and the people in it.
struct DeckAnswer: Sendable {
    let stage: DeckStage
    /// The people of the deck, best first.
    let ranks: [DeckRank]
    /// The JSON of the deck.
    let body: [UInt8]
    /// Distinguishes the JSON from that of other decks, whosever they are.
    let entityTag: String

    init(stage: DeckStage, ranks: [DeckRank], body: [UInt8]) {
        self.stage = stage
        self.ranks = ranks
        self.body = body
        self.entityTag = FNV1a.hexadecimal(of: body)
    }
}
