import SparkCore
import SparkDecks
import SparkStorage

// How often people like, are liked and are shown: counts beside the swipes, kept in their transactions, for the score alone. A score
// sees them as they were when the day began, so the row keeps both.

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
        let day = Int64(transaction.now.dayNumber)
        func counts(_ sql: String, of user: UserID) throws -> DailyCounts {
            let values: [SQLValue] = [.integer(user.rawValue), .integer(day), .integer(likes), .integer(passes)]
            return try transaction.session.statement(sql).row(values) { DailyCounts($0) } ?? DailyCounts()
        }
        let (given, received) = (try counts(Self.countGiven, of: user), try counts(Self.countReceived, of: target))
        transaction.afterCommit { [feed] in
            feed.apply([.count(user, given), .count(target, received)], of: [user, target])
        }
    }

    /// Begins the day ?2 for somebody whose last change was on an earlier one.
    private static let begin = """
        day = max(day, ?2), shown_before = iif(day < ?2, iif(day = ?2 - 1, shown, 0), shown_before),
        likes_given_before = iif(day < ?2, likes_given, likes_given_before),
        passes_given_before = iif(day < ?2, passes_given, passes_given_before),
        likes_received_before = iif(day < ?2, likes_received, likes_received_before),
        passes_received_before = iif(day < ?2, passes_received, passes_received_before)
        """

    private static let countGiven = """
        INSERT INTO matching_tallies (user_id, day, likes_given, passes_given) VALUES (?1, ?2, max(0, ?3), max(0, ?4))
        ON CONFLICT (user_id) DO UPDATE SET \(begin), shown = iif(day < ?2, 0, shown),
            likes_given = max(0, likes_given + ?3), passes_given = max(0, passes_given + ?4)
        RETURNING \(DailyCounts.columns.joined(separator: ", "))
        """

    private static let countReceived = """
        INSERT INTO matching_tallies (user_id, day, likes_received, passes_received) VALUES (?1, ?2, max(0, ?3), max(0, ?4))
        ON CONFLICT (user_id) DO UPDATE SET \(begin), shown = iif(day < ?2, 0, shown),
            likes_received = max(0, likes_received + ?3), passes_received = max(0, passes_received + ?4)
        RETURNING \(DailyCounts.columns.joined(separator: ", "))
        """

    func addShown(_ shown: [UserID: Int], on day: UInt16) async throws {
        try await storage.write { [feed] transaction in
            let statement = try transaction.session.statement(Self.countShown)
            var changes: [DeckIndex.Change] = []
            for (user, count) in shown {
                let counts = try statement.row([.integer(user.rawValue), .integer(Int64(day)), .integer(Int64(count))]) {
                    DailyCounts($0)
                }
                // No row: this person's next day has begun, so the last one is closed.
                if let counts { changes.append(.count(user, counts)) }
            }
            let made = changes
            transaction.afterCommit { feed.apply(made, of: Array(shown.keys)) }
        }
    }

    private static let countShown = """
        INSERT INTO matching_tallies (user_id, day, shown) VALUES (?1, ?2, ?3)
        ON CONFLICT (user_id) DO UPDATE SET \(begin), shown = iif(day < ?2, 0, shown) + ?3 WHERE day <= ?2
        RETURNING \(DailyCounts.columns.joined(separator: ", "))
        """

    /// Counts all swipes anew; for many that came in another way than one by one. Each part reads an index in the order of the people it
    /// counts for, so nothing is sorted.
    static let recount = """
        INSERT INTO matching_tallies (user_id, likes_given, passes_given)
            SELECT user_id, SUM(action IN (1, 2)), SUM(action = 0) FROM matching_swipes GROUP BY user_id
            ON CONFLICT (user_id) DO UPDATE SET likes_given = excluded.likes_given, passes_given = excluded.passes_given;
        INSERT INTO matching_tallies (user_id, likes_received)
            SELECT target_id, COUNT(*) FROM matching_swipes WHERE action IN (1, 2) GROUP BY target_id
            ON CONFLICT (user_id) DO UPDATE SET likes_received = excluded.likes_received;
        INSERT INTO matching_tallies (user_id, passes_received)
            SELECT target_id, COUNT(*) FROM matching_swipes WHERE action IN (0, 3) AND action = 0 GROUP BY target_id
            ON CONFLICT (user_id) DO UPDATE SET passes_received = excluded.passes_received;
        """

    /// Takes what is counted by now for what was counted when the day began.
    static let settleTallies = """
        UPDATE matching_tallies SET likes_given_before = likes_given, passes_given_before = passes_given,
            likes_received_before = likes_received, passes_received_before = passes_received;
        """
}

extension DailyCounts {
    /// The columns of `matching_tallies` that a row is made from.
    static let columns = [
        "day", "shown_before", "shown", "likes_given_before", "passes_given_before", "likes_received_before",
        "passes_received_before", "likes_given", "passes_given", "likes_received", "passes_received",
    ]

    /// - Parameter first: where in the row the first of `columns` is. A missing row reads as zeros (LEFT JOIN).
    init(_ row: borrowing SQLRow, from first: Int32 = 0) {
        func tally(_ start: Int32, _ row: borrowing SQLRow) -> SwipeTally {
            SwipeTally(
                likesGiven: Int(row.integer(first + start)), passesGiven: Int(row.integer(first + start + 1)),
                likesReceived: Int(row.integer(first + start + 2)), passesReceived: Int(row.integer(first + start + 3)))
        }
        self.init(
            day: UInt16(clamping: row.integer(first)), tallyBefore: tally(3, row), tally: tally(7, row),
            shownBefore: UInt8(clamping: row.integer(first + 1)), shown: UInt8(clamping: row.integer(first + 2)))
    }
}
