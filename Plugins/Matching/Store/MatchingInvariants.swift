import SparkKit
import SparkStorage

/// Invariants between the rows, checked by `spark check`.
enum MatchingInvariants {
    static let all = counts + [HotIndexInvariant.equalsStore]

    private static let counts = [
        count(
            "matches are ordered pairs", "SELECT COUNT(*) FROM matching_matches WHERE user_a >= user_b",
            fault: "matches whose two users are not in order"),
        count(
            "live matches are liked from both sides",
            """
            SELECT COUNT(*) FROM matching_matches m WHERE m.ended_at IS NULL AND (
                NOT EXISTS (SELECT 1 FROM matching_swipes
                    WHERE user_id = m.user_a AND target_id = m.user_b AND action IN (1, 2))
                OR NOT EXISTS (SELECT 1 FROM matching_swipes
                    WHERE user_id = m.user_b AND target_id = m.user_a AND action IN (1, 2)))
            """, fault: "live matches without a like from each side"),
        count(
            "live matches have no block",
            """
            SELECT COUNT(*) FROM matching_blocks b JOIN matching_matches m
                ON m.user_a = CASE WHEN b.user_id < b.target_id THEN b.user_id ELSE b.target_id END
                    AND m.user_b = CASE WHEN b.user_id < b.target_id THEN b.target_id ELSE b.user_id END
            WHERE m.ended_at IS NULL
            """, fault: "live matches between two people, one of them blocked by the other"),
        count(
            "nobody swiped themselves", "SELECT COUNT(*) FROM matching_swipes WHERE user_id = target_id",
            fault: "swipes of people on themselves"),
        count(
            "evidence belongs to a report",
            "SELECT COUNT(*) FROM matching_evidence WHERE report_id NOT IN (SELECT id FROM matching_reports)",
            fault: "pieces of evidence without a report"),
        // The counts may exceed the swipes: an erasure deletes swipes and leaves the counts of others.
        count(
            "swipes are counted",
            """
            SELECT COUNT(*) FROM (
                SELECT user_id AS user, SUM(action IN (1, 2)) AS likes, SUM(action = 0) AS passes
                FROM matching_swipes GROUP BY user_id) s
            LEFT JOIN matching_tallies t ON t.user_id = s.user
            WHERE s.likes > COALESCE(t.likes_given, 0) OR s.passes > COALESCE(t.passes_given, 0)
            """, fault: "people who swiped more than is counted"),
    ]

    private static func count(_ name: String, _ sql: String, fault: String) -> Invariant {
        Invariant(name) { session in
            let found = try session.value(sql, as: Int.self) ?? 0
            return found == 0 ? [] : ["\(found) \(fault)"]
        }
    }
}
