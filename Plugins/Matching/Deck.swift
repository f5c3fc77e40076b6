import SparkCore

/// Whose deck, how much of it, when.
struct DeckQuery: Sendable {
    let viewer: UserID
    /// At least 1.
    let limit: Int
    let now: Timestamp
    /// Who was not active for so long is in no deck.
    let activeDays: Int
    /// For so long a skip hides somebody.
    let skipLifetime: Duration
    let scorer: any CandidateScoring

    var activeSince: Timestamp { now - .days(activeDays) }
}

/// The best candidates of one stage, best first.
struct Ranking: Sendable {
    /// How far was looked: nobody from beyond could be in it.
    enum Reach: Hashable, Sendable {
        case nowhere
        case within(Distance)
        case everywhere
    }

    let stage: DeckStage
    let ranks: [DeckRank]
    /// Nobody else is in this stage.
    let isComplete: Bool
    /// The viewer's published place, and whom the viewer seeks.
    let place: Coordinate
    let interestedIn: GenderSet
    /// Over all stages that were looked at.
    let reach: Reach
    /// Ages are those of this day.
    let day: CivilDate
    /// When the first of the viewer's skips runs out, and somebody comes back.
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

/// The place of a candidate in the order of a deck: by score; among equals by a hash that differs from viewer to viewer, so that
/// the order of equals says nothing.
struct DeckRank: Hashable, Comparable, Sendable {
    let score: Int
    let tie: UInt64
    let id: UserID
    /// Of the candidate's profile, when this was made.
    let version: Int64

    init(score: Int, candidate: UserID, version: Int64, viewer: UserID) {
        let bits = UInt64(bitPattern: candidate.rawValue)
        self.score = score
        self.tie = SplitMix64.mix(UInt64(bitPattern: viewer.rawValue) ^ (bits << 32 | bits >> 32))
        self.id = candidate
        self.version = version
    }

    /// As it was made before.
    init(score: Int, tie: UInt64, id: UserID, version: Int64) {
        self.score = score
        self.tie = tie
        self.id = id
        self.version = version
    }

    /// Whether it stands nearer to the front.
    static func < (left: Self, right: Self) -> Bool {
        if left.score != right.score { return left.score > right.score }
        return left.tie != right.tie ? left.tie < right.tie : left.id < right.id
    }
}

/// The best so far, at most `limit` of them, in order.
struct BestCandidates: Sendable {
    private(set) var ranks: [DeckRank] = []
    let limit: Int

    init(limit: Int) {
        self.limit = max(1, limit)
        ranks.reserveCapacity(self.limit + 1)
    }

    /// What a candidate must score at least to stand a chance; nil while there is room for anybody.
    var threshold: Int? { ranks.count < limit ? nil : ranks.last?.score }

    /// Takes a candidate in if it is good enough; the same one a second time is left out.
    mutating func offer(_ rank: DeckRank) {
        if ranks.count == limit, let last = ranks.last, last < rank { return }
        var (low, high) = (0, ranks.count)
        while low < high {
            let middle = (low + high) / 2
            if ranks[middle] < rank { low = middle + 1 } else { high = middle }
        }
        if low < ranks.count, ranks[low] == rank { return }
        ranks.insert(rank, at: low)
        if ranks.count > limit { ranks.removeLast() }
    }
}
