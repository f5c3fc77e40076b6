import SparkCore
import SparkDecks
import SparkKit
import SparkStorage

/// Checks that a hot index built from the database holds everybody it must, and gives the same decks as the R-tree.
enum HotIndexInvariant {
    /// How many viewers' decks are compared.
    private static let viewers = 200

    static let equalsStore = Invariant("the hot index gives the decks that the R-tree gives", isDeep: true) { session in
        let index = DeckIndex()
        index.build(try DeckIndexSync.everybody(in: session))
        var faults: [String] = []
        let listed = try session.value(
            "SELECT COUNT(*) FROM profiles_users WHERE closed = 0 AND paused = 0 AND location IS NOT NULL", as: Int.self)
        if listed != index.count { faults.append("\(index.count) people in the index, \(listed ?? 0) in the database") }
        let differing = try sample(in: session).filter { try !isEqual($0, index, session) }
        if !differing.isEmpty { faults.append("\(differing.count) of \(viewers) decks differ") }
        return faults
    }

    /// Queries for viewers spread over the whole table, at the time of the newest activity.
    private static func sample(in session: SQLSession) throws -> [DeckQuery] {
        let newest = try session.value("SELECT MAX(last_active_at) FROM profiles_users", as: Int64.self) ?? 0
        let ids = try session.values(
            """
            WITH RECURSIVE ends AS (SELECT MIN(id) AS low, MAX(id) AS high FROM profiles_users),
                steps AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM steps WHERE n < ?1 - 1)
            SELECT DISTINCT (SELECT id FROM profiles_users
                WHERE id >= low + (high - low) / ?1 * n AND closed = 0 AND paused = 0 AND location IS NOT NULL
                ORDER BY id LIMIT 1)
            FROM steps, ends
            """, viewers, as: Int64?.self)
        return ids.compactMap(\.self).map { id in
            DeckQuery(
                viewer: UserID(rawValue: id), limit: DeckService.depth, now: Timestamp(milliseconds: newest), activeDays: 30,
                skipLifetime: .hours(24), scorer: MatchingConfiguration.defaults.scorer)
        }
    }

    private static func isEqual(_ query: DeckQuery, _ index: DeckIndex, _ session: SQLSession) throws -> Bool {
        let standing = try ViewerRelations(of: query.viewer, at: query.now, skipLifetime: query.skipLifetime, in: session)
        let reference = try SpatiaLiteMatchingStore.ranking(for: query, standing: standing, in: session)
        guard let found = Rankings.ranking(for: query, standing: standing, from: index) else { return false }
        return found.ranks == reference.ranks && (found.stage == reference.stage || found.ranks.isEmpty)
    }
}
