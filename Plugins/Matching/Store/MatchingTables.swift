import SparkCore
import SparkKit
import SparkStorage

/// The tables, with the export and the erasure of one person's data.
///
/// An export contains what the person did. What others did to the person (likes, passes, blocks, reports, who saw them) belongs
/// to the others and is not exported, not even as a count.
///
/// An erasure deletes what the person did. What others did (their swipes, their blocks, the matches they were in) stays with them
/// and names the person by identifier only. If it disappeared from their lists and exports, they could tell an erasure from a
/// block.
enum MatchingTables {
    static let all =
        [swipes, matches, blocks, reports, tallies, spent, likeNotices, withdrawnPasses] + EvidenceTables.all
        + [.plain("matching_index_mark")]

    private static let swipes = TableDeclaration.userLinked(
        "matching_swipes",
        exportPage: { session, user, page in
            try session.statement(
                """
                SELECT target_id, action, swiped_at FROM matching_swipes WHERE user_id = ?1 AND target_id > ?2
                ORDER BY target_id
                """
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let swipe = JSONValue.object([
                    JSONMember("target_id", .string(UserID(rawValue: row.integer(0)).wire)),
                    JSONMember("action", SwipeAction(rawValue: row.integer(1)).map { .string($0.wire) } ?? .null),
                    JSONMember("swiped_at", time(row.integer(2))),
                ])
                return page.append(swipe, at: [.integer(row.integer(0))])
            }
        },
        eraseStep: { session, user, limit in
            // Swipes that support a live match are deleted together with it.
            let changed = try session.run(
                """
                DELETE FROM matching_swipes WHERE (user_id, target_id) IN (
                    SELECT user_id, target_id FROM matching_swipes s WHERE user_id = ?1
                        AND NOT EXISTS (SELECT 1 FROM matching_matches m
                            WHERE m.user_a = CASE WHEN s.user_id < s.target_id THEN s.user_id ELSE s.target_id END
                                AND m.user_b = CASE WHEN s.user_id < s.target_id THEN s.target_id ELSE s.user_id END
                                AND m.ended_at IS NULL)
                    LIMIT ?2)
                """, user.rawValue, limit)
            return changed >= limit
        },
        erase: { session, user in
            try session.run("DELETE FROM matching_swipes WHERE user_id = ?", user.rawValue)
        })

    private static let tallies = TableDeclaration.userLinked(
        "matching_tallies",
        export: { session, user in
            return try session.rows(
                """
                SELECT likes_given, passes_given FROM matching_tallies
                WHERE user_id = ? AND likes_given + passes_given > 0
                """, user.rawValue
            ) { row in
                .object([
                    JSONMember("likes_given", .integer(row[0])),
                    JSONMember("passes_given", .integer(row[1])),
                ])
            }
        },
        erase: { session, user in
            try session.run("DELETE FROM matching_tallies WHERE user_id = ?", user.rawValue)
        })

    private static let spent = TableDeclaration.userLinked(
        "matching_spent",
        export: { session, user in
            return try session.rows("SELECT day, likes, superlikes FROM matching_spent WHERE user_id = ?", user.rawValue) { row in
                .object([
                    JSONMember("spent_on", .string(CivilDate(daysSinceEpoch: row[0]).description)),
                    JSONMember("likes", .integer(row[1])),
                    JSONMember("superlikes", .integer(row[2])),
                ])
            }
        },
        erase: { session, user in
            try session.run("DELETE FROM matching_spent WHERE user_id = ?", user.rawValue)
        })

    /// Not exported: whether a like was announced depends on the limits of its target.
    private static let likeNotices = TableDeclaration.userLinked(
        "matching_like_notices", export: { _, _ in [] },
        erase: { session, user in
            for column in ["user_id", "target_id"] {
                try session.run("DELETE FROM matching_like_notices WHERE \(column) = ?", user.rawValue)
            }
        })

    private static let withdrawnPasses = TableDeclaration.userLinked(
        "matching_withdrawn_passes",
        export: { session, user in
            return try session.rows(
                "SELECT target_id, day FROM matching_withdrawn_passes WHERE user_id = ? ORDER BY target_id", user.rawValue
            ) { row in
                .object([
                    JSONMember("target_id", .string(UserID(rawValue: row[0]).wire)),
                    JSONMember("day", .string(CivilDate(daysSinceEpoch: row[1]).description)),
                ])
            }
        },
        erase: { session, user in
            try session.run("DELETE FROM matching_withdrawn_passes WHERE user_id = ?", user.rawValue)
        })

    private static let matches = TableDeclaration.userLinked(
        "matching_matches",
        exportPage: { session, user, page in
            // First the matches in which the person is `user_a`, then those as `user_b`. Each side has its own index.
            let isSecondSide = page.after.first == .integer(1)
            for side in isSecondSide ? [1] : [0, 1] {
                let (mine, other, gone) =
                    side == 0 ? ("user_a", "user_b", "b_gone_at") : ("user_b", "user_a", "a_gone_at")
                let after = page.after.first == .integer(Int64(side)) ? page.after : []
                var hasRoom = true
                try session.statement(
                    """
                    SELECT id, conversation_id, \(other), created_at, coalesce(\(gone), ended_at) FROM matching_matches
                    WHERE \(mine) = ?1 AND (created_at, id) > (?2, ?3) ORDER BY created_at, id
                    """
                ).forEach([
                    .integer(user.rawValue), after.count == 3 ? after[1] : .integer(.min),
                    after.count == 3 ? after[2] : .integer(.min),
                ]) { row in
                    let match = JSONValue.object([
                        JSONMember("id", .string(MatchID(rawValue: row.integer(0)).wire)),
                        JSONMember("conversation_id", .string(ConversationID(rawValue: row.integer(1)).wire)),
                        JSONMember("user_id", .string(UserID(rawValue: row.integer(2)).wire)),
                        JSONMember("created_at", time(row.integer(3))),
                        JSONMember("ended_at", row.optional(4).map { time($0) } ?? .null),
                    ])
                    hasRoom = page.append(
                        match, at: [.integer(Int64(side)), .integer(row.integer(3)), .integer(row.integer(0))])
                    return hasRoom
                }
                guard hasRoom else { return }
            }
        },
        erase: { session, user in
            for (side, number, other) in [("a", 1, 2), ("b", 2, 1)] {
                try session.run("DELETE FROM matching_matches WHERE user_\(side) = ? AND erased = \(other)", user.rawValue)
                try session.run(
                    """
                    UPDATE matching_matches SET erased = \(number),
                        ended_at = coalesce(ended_at, \(side)_gone_at, created_at), ended_by = coalesce(ended_by, ?1)
                    WHERE user_\(side) = ?1
                    """, user.rawValue)
            }
        })

    private static let blocks = TableDeclaration.userLinked(
        "matching_blocks",
        exportPage: { session, user, page in
            try session.statement(
                "SELECT target_id, blocked_at FROM matching_blocks WHERE user_id = ?1 AND target_id > ?2 ORDER BY target_id"
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let block = JSONValue.object([
                    JSONMember("target_id", .string(UserID(rawValue: row.integer(0)).wire)),
                    JSONMember("blocked_at", time(row.integer(1))),
                ])
                return page.append(block, at: [.integer(row.integer(0))])
            }
        },
        eraseStep: { session, user, limit in
            let changed = try session.run(
                """
                DELETE FROM matching_blocks WHERE (user_id, target_id) IN (
                    SELECT user_id, target_id FROM matching_blocks WHERE user_id = ?1 LIMIT ?2)
                """, user.rawValue, limit)
            return changed >= limit
        },
        erase: { session, user in
            try session.run("DELETE FROM matching_blocks WHERE user_id = ?", user.rawValue)
        })

    private static let reports = TableDeclaration.userLinked(
        "matching_reports",
        exportPage: { session, user, page in
            try session.statement(
                """
                SELECT id, target_id, category, text, created_at FROM matching_reports
                WHERE reporter_id = ?1 AND id > ?2 ORDER BY id
                """
            ).forEach([.integer(user.rawValue), page.after.first ?? .integer(.min)]) { row in
                let report = JSONValue.object([
                    JSONMember("id", .string(ReportID(rawValue: row.integer(0)).wire)),
                    JSONMember("target_id", .string(UserID(rawValue: row.integer(1)).wire)),
                    JSONMember("category", .string(row.text(2))),
                    JSONMember("text", .string(row.text(3))),
                    JSONMember("created_at", time(row.integer(4))),
                ])
                return page.append(report, at: [.integer(row.integer(0))])
            }
        },
        // For the safety of others, the fact that somebody was reported stays; the reporter and the text are removed. Reports
        // about an erased person stay for as long as their evidence.
        erase: { session, user in
            try session.run(
                "DELETE FROM matching_reports WHERE target_id = ? AND id NOT IN (SELECT report_id FROM matching_evidence)",
                user.rawValue)
            try session.run("UPDATE matching_reports SET is_target_erased = 1 WHERE target_id = ?", user.rawValue)
            let tag = try session.value(
                "SELECT MIN(id) FROM matching_reports WHERE reporter_id = ?", user.rawValue, as: Int64.self)
            try session.run(
                "UPDATE matching_reports SET reporter_id = NULL, reporter_tag = ?, text = '' WHERE reporter_id = ?", tag,
                user.rawValue)
        })

    private static func time(_ milliseconds: Int64) -> JSONValue {
        .string(Timestamp(milliseconds: milliseconds).description)
    }
}
