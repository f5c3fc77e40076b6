import GRDB
import SparkCore
import SparkStorage

/// Who stands how to a viewer when a deck is made: read once, as sorted lists that are asked thousands of times.
struct DeckStanding {
    private let excluded: SortedIdentifiers
    private let likers: SortedIdentifiers

    /// - Parameter query: names the viewer and for how long a skip counts.
    init(of query: DeckQuery, in database: Database) throws {
        let viewer = SQLValue.integer(query.viewer.rawValue)
        let skippedSince = SQLValue.integer((query.now - query.skipLifetime).milliseconds)
        var excluded = [query.viewer.rawValue]
        func gather(_ sql: String, _ arguments: [SQLValue], into list: inout [Int64]) throws {
            try RawStatement(sql, in: database).forEach(arguments) { row in
                list.append(row.integer(0))
                return true
            }
        }
        try gather(Self.swiped, [viewer, skippedSince], into: &excluded)
        for sql in [Self.passedBy, Self.blocked, Self.blockedBy, Self.matchedAbove, Self.matchedBelow] {
            try gather(sql, [viewer], into: &excluded)
        }
        var likers: [Int64] = []
        try gather(Self.likedBy, [viewer], into: &likers)
        self.excluded = SortedIdentifiers(excluded)
        self.likers = SortedIdentifiers(likers)
    }

    /// Swiped, blocked in either direction, matched once, or has passed on the viewer; the viewer, too.
    func excludes(_ candidate: Int64) -> Bool { excluded.contains(candidate) }

    /// Whether the candidate likes the viewer.
    func isLiked(by candidate: Int64) -> Bool { likers.contains(candidate) }

    // Ordered, so that the key is read and not the index by time: then there is nothing to sort.
    private static let swiped = """
        SELECT target_id FROM matching_swipes WHERE user_id = ?1 AND (action <> 3 OR swiped_at > ?2)
        ORDER BY target_id
        """
    private static let passedBy = """
        SELECT user_id FROM matching_swipes WHERE target_id = ?1 AND action IN (0, 3) AND action = 0
        """
    private static let likedBy = "SELECT user_id FROM matching_swipes WHERE target_id = ?1 AND action IN (1, 2)"
    private static let blocked = "SELECT target_id FROM matching_blocks WHERE user_id = ?1"
    private static let blockedBy = "SELECT user_id FROM matching_blocks WHERE target_id = ?1"
    private static let matchedAbove = "SELECT user_b FROM matching_matches WHERE user_a = ?1"
    private static let matchedBelow = "SELECT user_a FROM matching_matches WHERE user_b = ?1"
}

/// A set of identifiers without hashing.
struct SortedIdentifiers {
    private let sorted: [Int64]

    /// - Parameter list: mostly runs that are sorted already, which the standard sort merges in passing.
    init(_ list: [Int64]) { sorted = list.sorted() }

    func contains(_ identifier: Int64) -> Bool {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < identifier { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == identifier
    }
}
