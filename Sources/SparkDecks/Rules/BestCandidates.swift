/// The best so far, at most `limit` of them, in order.
package struct BestCandidates: Sendable {
    package private(set) var ranks: [DeckRank] = []
    package let limit: Int

    package init(limit: Int) {
        self.limit = max(1, limit)
        ranks.reserveCapacity(self.limit + 1)
    }

    /// What a candidate must score at least to stand a chance; nil while there is room for anybody.
    package var threshold: Int? { ranks.count < limit ? nil : ranks.last?.score }

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
    }
}
