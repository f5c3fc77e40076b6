import GRDB
import SparkCore
import SparkKit
import SparkStorage

/// The tables, and how one person's part of them is given out and destroyed.
///
/// A person gets what they wrote. With a person all of their conversations go, for both: a conversation is what two people have
/// together, and what remained would be half of it. Erased from the last table to the first: the conversations, by which the others
/// find their rows, at the end.
enum ChatTables {
    static let all = [conversations, messages, reactions, held, received, usage, .plain("chat_search_progress")]

    private static let mine = "SELECT id FROM chat_conversations WHERE user_a = ?1 OR user_b = ?1"

    private static let conversations = TableDeclaration.userLinked(
        "chat_conversations",
        export: { database, user in
            try rows(
                """
                SELECT id, match_id, CASE user_a WHEN ?1 THEN user_b ELSE user_a END, last_seq,
                    CASE user_a WHEN ?1 THEN a_read ELSE b_read END, created_at, ended_at
                FROM chat_conversations WHERE user_a = ?1 OR user_b = ?1 ORDER BY created_at, id
                """, user, database
            ) { row in
                [
                    JSONMember("id", .string(ConversationID(rawValue: row[0]).wire)),
                    JSONMember("match_id", .string(MatchID(rawValue: row[1]).wire)),
                    JSONMember("user_id", .string(UserID(rawValue: row[2]).wire)),
                    JSONMember("last_seq", .integer(row[3])),
                    JSONMember("read_seq", .integer(row[4])),
                    JSONMember("created_at", time(row[5])),
                    JSONMember("ended_at", time(row[6])),
                ]
            }
        },
        erase: { database, user in
            try database.execute(
                sql: "DELETE FROM chat_conversations WHERE user_a = ?1 OR user_b = ?1", arguments: [user.rawValue])
        })

    private static let messages = TableDeclaration.userLinked(
        "chat_messages",
        export: { database, user in
            try rows(
                """
                SELECT id, conversation_id, seq, content, text, sent_at, edited_at, deleted_at, client_id
                FROM chat_messages WHERE sender_id = ?1 ORDER BY id
                """, user, database
            ) { row in
                [
                    JSONMember("id", .string(MessageID(rawValue: row[0]).wire)),
                    JSONMember("conversation_id", .string(ConversationID(rawValue: row[1]).wire)),
                    JSONMember("seq", .integer(row[2])),
                    JSONMember("kind", MessageContent(rawValue: row[3]).map { .string($0.wire) } ?? .null),
                    JSONMember("text", .string(row[4])),
                    JSONMember("sent_at", time(row[5])),
                    JSONMember("edited_at", time(row[6])),
                    JSONMember("deleted_at", time(row[7])),
                    JSONMember("client_id", .string(row[8])),
                ]
            }
        },
        erase: { database, user in
            try database.execute(
                sql: "DELETE FROM chat_messages WHERE conversation_id IN (\(mine))", arguments: [user.rawValue])
        })

    private static let reactions = TableDeclaration.userLinked(
        "chat_reactions",
        export: { database, user in
            try rows(
                """
                SELECT conversation_id, seq, reaction FROM chat_reactions WHERE user_id = ?1 ORDER BY conversation_id, seq
                """, user, database
            ) { row in
                [
                    JSONMember("conversation_id", .string(ConversationID(rawValue: row[0]).wire)),
                    JSONMember("seq", .integer(row[1])), JSONMember("reaction", .string(row[2])),
                ]
            }
        },
        erase: { database, user in
            try database.execute(
                sql: "DELETE FROM chat_reactions WHERE conversation_id IN (\(mine))", arguments: [user.rawValue])
        })

    private static let held = TableDeclaration.userLinked(
        "chat_held",
        export: { database, user in
            try rows(
                "SELECT conversation_id, client_id, text, held_at FROM chat_held WHERE sender_id = ?1 ORDER BY id", user, database
            ) { row in
                [
                    JSONMember("conversation_id", .string(ConversationID(rawValue: row[0]).wire)),
                    JSONMember("client_id", .string(row[1])), JSONMember("text", .string(row[2])),
                    JSONMember("held_at", time(row[3])),
                ]
            }
        },
        erase: { database, user in
            try database.execute(
                sql: "DELETE FROM chat_held WHERE conversation_id IN (\(mine))", arguments: [user.rawValue])
        })

    private static let received = TableDeclaration.userLinked(
        "chat_received",
        export: { database, user in
            try rows("SELECT offset FROM chat_received WHERE user_id = ?1", user, database) { row in
                [JSONMember("offset", .integer(row[0]))]
            }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM chat_received WHERE user_id = ?", arguments: [user.rawValue])
        })

    private static let usage = TableDeclaration.userLinked(
        "chat_usage",
        export: { database, user in
            try rows("SELECT day, messages, bytes FROM chat_usage WHERE user_id = ?1", user, database) { row in
                [
                    JSONMember("day", .string(CivilDate(daysSinceEpoch: row[0]).description)),
                    JSONMember("messages", .integer(row[1])), JSONMember("bytes", .integer(row[2])),
                ]
            }
        },
        erase: { database, user in
            try database.execute(sql: "DELETE FROM chat_usage WHERE user_id = ?", arguments: [user.rawValue])
        })

    private static func rows(
        _ sql: String, _ user: UserID, _ database: Database, _ members: (Row) -> [JSONMember]
    ) throws -> [JSONValue] {
        try Row.fetchAll(database.cachedStatement(sql: sql), arguments: [user.rawValue]).map { .object(members($0)) }
    }

    private static func time(_ milliseconds: Int64?) -> JSONValue {
        milliseconds.map { .string(Timestamp(milliseconds: $0).description) } ?? .null
    }
}
