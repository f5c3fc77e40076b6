import GRDB
import SparkCore
import SparkDecks
import SparkStorage

// How often people like, are liked and are shown: counts beside the swipes, kept in their transactions, for the score alone.

extension SpatiaLiteMatchingStore {
    /// Counts a swipe that takes the place of another one, or takes one back.
    func count(
        _ user: UserID, _ target: UserID, from before: SwipeAction?, to after: SwipeAction?, in transaction: WriteTransaction
    ) throws {
        func change(_ matches: (SwipeAction) -> Bool) -> Int64 {
            (after.map(matches) == true ? 1 : 0) - (before.map(matches) == true ? 1 : 0)
        }
        let (likes, passes) = (change(\.isLike), change { $0 == .pass })
        guard likes != 0 || passes != 0 else { return }
        let given = try tally(
            Self.countGiven, [.integer(user.rawValue), .integer(likes), .integer(passes)], in: transaction.database)
        let received = try tally(
            Self.countReceived, [.integer(target.rawValue), .integer(likes), .integer(passes)], in: transaction.database)
        transaction.afterCommit { [feed] in
            feed.apply([.tally(user, given), .tally(target, received)], of: [user, target])
        }
    }

    private func tally(_ sql: String, _ values: [SQLValue], in database: Database) throws -> SwipeTally {
        try RawStatement(sql, in: database).row(values) { row in
            SwipeTally(
                likesGiven: Int(row.integer(0)), passesGiven: Int(row.integer(1)), likesReceived: Int(row.integer(2)),
                passesReceived: Int(row.integer(3)))
        } ?? SwipeTally()
    }

    private static let countGiven = """
        INSERT INTO matching_tallies (user_id, likes_given, passes_given) VALUES (?1, max(0, ?2), max(0, ?3))
        ON CONFLICT DO UPDATE SET likes_given = max(0, likes_given + ?2), passes_given = max(0, passes_given + ?3)
        RETURNING likes_given, passes_given, likes_received, passes_received
        """

    private static let countReceived = """
        INSERT INTO matching_tallies (user_id, likes_received, passes_received) VALUES (?1, max(0, ?2), max(0, ?3))
        ON CONFLICT DO UPDATE SET likes_received = max(0, likes_received + ?2), passes_received = max(0, passes_received + ?3)
        RETURNING likes_given, passes_given, likes_received, passes_received
        """

    func addShown(_ shown: [UserID: Int], on day: UInt16) async throws {
        try await storage.write { [feed] transaction in
            let statement = try RawStatement(Self.countShown, in: transaction.database)
            var changes: [DeckIndex.Change] = []
            for (user, count) in shown {
                let total = try statement.row([.integer(user.rawValue), .integer(Int64(day)), .integer(Int64(count))]) {
                    $0.integer(0)
                }
                changes.append(.expose(user, Exposure(day: day, shown: UInt8(clamping: total ?? 0))))
            }
            let made = changes
            transaction.afterCommit { feed.apply(made, of: Array(shown.keys)) }
        }
    }

    private static let countShown = """
        INSERT INTO matching_tallies (user_id, shown_day, shown) VALUES (?1, ?2, ?3)
        ON CONFLICT DO UPDATE SET shown = CASE shown_day WHEN ?2 THEN shown ELSE 0 END + ?3, shown_day = ?2
        RETURNING shown
        """

    /// Counts all swipes anew; for many that came in another way than one by one. Each part reads an index in the order of the people it
    /// counts for, so nothing is sorted.
    static let recount = """
        INSERT INTO matching_tallies (user_id, likes_given, passes_given)
            SELECT user_id, SUM(action IN (1, 2)), SUM(action = 0) FROM matching_swipes GROUP BY user_id
            ON CONFLICT DO UPDATE SET likes_given = excluded.likes_given, passes_given = excluded.passes_given;
        INSERT INTO matching_tallies (user_id, likes_received)
            SELECT target_id, COUNT(*) FROM matching_swipes WHERE action IN (1, 2) GROUP BY target_id
            ON CONFLICT DO UPDATE SET likes_received = excluded.likes_received;
        INSERT INTO matching_tallies (user_id, passes_received)
            SELECT target_id, COUNT(*) FROM matching_swipes WHERE action IN (0, 3) AND action = 0 GROUP BY target_id
            ON CONFLICT DO UPDATE SET passes_received = excluded.passes_received;
        """
}
