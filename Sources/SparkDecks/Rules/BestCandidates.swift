package import SparkCore

/// The best so far, at most `limit` of them, in order.
package struct BestCandidates: Sendable {
    package private(set) var ranks: [DeckRank] = []
    package let limit: Int
    /// What a candidate must score at least to stand a chance; nil while there is room for anybody.
    package private(set) var threshold: Int?
    /// Of the last one, when there is no more room: who scores the same must have less.
    private var lastTie: UInt64 = 0

    package init(limit: Int) {
        self.limit = max(1, limit)
        ranks.reserveCapacity(self.limit + 1)
    }

    /// Whether a viewer's candidate who scores no more than so much may stand a chance.
    @inline(__always)
    package func mayAdmit(_ score: Int, candidate: Int64, viewer: UserID) -> Bool {
        guard let threshold, score <= threshold else { return true }
        return score == threshold && DeckRank.tie(candidate, viewer: viewer) <= lastTie
    }

    /// Takes a candidate in if it is good enough; the same one a second time is left out.
    package mutating func offer(_ rank: DeckRank) {
        if ranks.count == limit, let last = ranks.last, last < rank { return }
        var (low, high) = (0, ranks.count)
        while low < high {
            let middle = (low + high) / 2
            if ranks[middle] < rank { low = middle + 1 } else { high = middle }
        }
        if low < ranks.count, ranks[low] == rank { return }
        ranks.insert(rank, at: low)
        if ranks.count > limit { ranks.removeLast() }
        if ranks.count == limit, let last = ranks.last { (threshold, lastTie) = (last.score, last.tie) }
    }
}
