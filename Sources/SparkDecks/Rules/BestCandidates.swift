package import SparkCore

/// The best candidates so far, at most `limit`, in order.
package struct BestCandidates: Sendable {
    /// The candidates, best first.
    package private(set) var ranks: [DeckRank] = []
    package let limit: Int
    /// The least score that can still enter; nil while there is room.
    package private(set) var threshold: Int?
    /// The tie value of the last candidate once there is no room. An equal score enters only with a lower one.
    private var lastTie: UInt64 = 0

    /// - Parameter limit: at least 1.
    package init(limit: Int) {
        self.limit = max(1, limit)
        ranks.reserveCapacity(self.limit + 1)
    }

    /// Whether a candidate with at most this score may still enter.
    @inline(__always)
    package func mayAdmit(_ score: Int, candidate: Int64, viewer: UserID) -> Bool {
        guard let threshold, score <= threshold else { return true }
        return score == threshold && DeckRank.tie(candidate, viewer: viewer) <= lastTie
    }

    mutating func removeAll() {
        ranks.removeAll(keepingCapacity: true)
        threshold = nil
    }

    /// Removes a candidate. Only while there is room: afterwards, others have been turned away for this one.
    mutating func remove(_ rank: DeckRank) { ranks.removeAll { $0 == rank } }

    /// Inserts a candidate if it is good enough. The same candidate is inserted only once.
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
