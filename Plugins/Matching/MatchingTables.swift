import GRDB
import SparkCore
import SparkKit

/// The tables, and how one person's part of them is given out and destroyed.
///
/// A person gets what they did themselves. What others did to them (likes, passes, blocks, reports, who was shown them) is the others'
/// and not given out, not even as a count, but destroyed with the person.
enum MatchingTables {
    static let all = [swipes, matches, blocks, reports, tallies, spent, likeNotices, withdrawnPasses, departed]

    private static let swipes = TableDeclaration.userLinked(
        "matching_swipes",
        export: { database, user in
            let statement = try database.cachedStatement(
                sql: "SELECT target_id, action, swiped_at FROM matching_swipes WHERE user_id = ? ORDER BY swiped_at, ordinal")
            return try Row.fetchAll(statement, arguments: [user.rawValue]).map { row in
                .object([
                    JSONMember("target_id", .string(UserID(rawValue: row[0]).wire)),
                    JSONMember("action", SwipeAction(rawValue: row[1]).map { .string($0.wire) } ?? .null),
                    JSONMember("swiped_at", time(row[2])),
                ])
            }
        },
        erase: { database, user in
            for condition in ["user_id = ?", "target_id = ? AND action IN (1, 2)", "target_id = ? AND action IN (0, 3)"] {
                try database.execute(sql: "DELETE FROM matching_swipes WHERE \(condition)", arguments: [user.rawValue])
            }
        })

    private static let tallies = TableDeclaration.userLinked(
        "matching_tallies",
        export: { database, user in
            let statement = try database.cachedStatement(
                // A row that only others have filled must not show that they did.
                sql: """
                    SELECT likes_given, passes_given FROM matching_tallies
                    WHERE user_id = ? AND likes_given + passes_given > 0
                    """)
            return try Row.fetchAll(statement, arguments: [user.rawValue]).map { row in
                .object([
                    JSONMember("likes_given", .integer(row[0])),
                    JSONMember("passes_given", .integer(row[1])),
                ])
            }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM matching_tallies WHERE user_id = ?", arguments: [user.rawValue])
        })

    private static let spent = TableDeclaration.userLinked(
        "matching_spent",
        export: { database, user in
            let statement = try database.cachedStatement(
                sql: "SELECT day, likes, superlikes FROM matching_spent WHERE user_id = ?")
            return try Row.fetchAll(statement, arguments: [user.rawValue]).map { row in
                .object([
                    JSONMember("spent_on", .string(CivilDate(daysSinceEpoch: row[0]).description)),
                    JSONMember("likes", .integer(row[1])),
                    JSONMember("superlikes", .integer(row[2])),
                ])
            }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM matching_spent WHERE user_id = ?", arguments: [user.rawValue])
        })

    /// Not exported: whether a like was announced depends on the limits of the person who is liked.
    private static let likeNotices = TableDeclaration.userLinked(
        "matching_like_notices", export: { _, _ in [] }, erase: { try eraseBothWays("matching_like_notices", $1, in: $0) })

    private static let withdrawnPasses = TableDeclaration.userLinked(
        "matching_withdrawn_passes",
        export: { database, user in
            let statement = try database.cachedStatement(
                sql: "SELECT target_id, day FROM matching_withdrawn_passes WHERE user_id = ? ORDER BY target_id")
            return try Row.fetchAll(statement, arguments: [user.rawValue]).map { row in
                .object([
                    JSONMember("target_id", .string(UserID(rawValue: row[0]).wire)),
                    JSONMember("day", .string(CivilDate(daysSinceEpoch: row[1]).description)),
                ])
            }
        },
        erase: { try eraseBothWays("matching_withdrawn_passes", $1, in: $0) })

    private static func eraseBothWays(_ table: String, _ user: UserID, in database: Database) throws {
        for column in ["user_id", "target_id"] {
            try database.execute(sql: "DELETE FROM \(table) WHERE \(column) = ?", arguments: [user.rawValue])
        }
    }

    /// An erasure leaves the bare identifier here, which leads to nothing, so that others can still block and report it and cannot tell
    /// an erased person from one who blocked them.
    private static let departed = TableDeclaration.userLinked(
        "matching_departed", export: { _, _ in [] },
        erase: { database, user in
            try database.execute(sql: "INSERT OR IGNORE INTO matching_departed (id) VALUES (?)", arguments: [user.rawValue])
        })

    private static let matches = TableDeclaration.userLinked(
        "matching_matches",
        export: { database, user in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT id, conversation_id, CASE user_a WHEN ?1 THEN user_b ELSE user_a END, created_at, ended_at
                    FROM matching_matches WHERE user_a = ?1 OR user_b = ?1 ORDER BY created_at, id
                    """)
            return try Row.fetchAll(statement, arguments: [user.rawValue]).map { row in
                .object([
                    JSONMember("id", .string(MatchID(rawValue: row[0]).wire)),
                    JSONMember("conversation_id", .string(ConversationID(rawValue: row[1]).wire)),
                    JSONMember("user_id", .string(UserID(rawValue: row[2]).wire)),
                    JSONMember("created_at", time(row[3])),
                    JSONMember("ended_at", (row[4] as Int64?).map { time($0) } ?? .null),
                ])
            }
        },
        erase: { database, user in
            try database.execute(
                sql: "DELETE FROM matching_matches WHERE user_a = ?1 OR user_b = ?1", arguments: [user.rawValue])
        })

    private static let blocks = TableDeclaration.userLinked(
        "matching_blocks",
        export: { database, user in
            let statement = try database.cachedStatement(
                sql: "SELECT target_id, blocked_at FROM matching_blocks WHERE user_id = ? ORDER BY blocked_at, target_id")
            return try Row.fetchAll(statement, arguments: [user.rawValue]).map { row in
                .object([
                    JSONMember("target_id", .string(UserID(rawValue: row[0]).wire)),
                    JSONMember("blocked_at", time(row[1])),
                ])
            }
        },
        erase: { database, user in
            try database.execute(
                sql: "DELETE FROM matching_blocks WHERE user_id = ?1 OR target_id = ?1", arguments: [user.rawValue])
        })

    private static let reports = TableDeclaration.userLinked(
        "matching_reports",
        export: { database, user in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT id, target_id, category, text, created_at FROM matching_reports
                    WHERE reporter_id = ? ORDER BY created_at, id
                    """)
            return try Row.fetchAll(statement, arguments: [user.rawValue]).map { row in
                .object([
                    JSONMember("id", .string(ReportID(rawValue: row[0]).wire)),
                    JSONMember("target_id", .string(UserID(rawValue: row[1]).wire)),
                    JSONMember("category", .string(row[2])),
                    JSONMember("text", .string(row[3])),
                    JSONMember("created_at", time(row[4])),
                ])
            }
        },
        // That somebody was reported stays, for the safety of others; who said it, and in which words, goes.
        erase: { database, user in
            try database.execute(sql: "DELETE FROM matching_reports WHERE target_id = ?", arguments: [user.rawValue])
            try database.execute(
                sql: "UPDATE matching_reports SET reporter_id = NULL, text = '' WHERE reporter_id = ?",
                arguments: [user.rawValue])
        })

    private static func time(_ milliseconds: Int64) -> JSONValue {
        .string(Timestamp(milliseconds: milliseconds).description)
    }
}
