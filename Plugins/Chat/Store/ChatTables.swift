import SparkCore
import SparkKit
import SparkStorage

/// The tables, with the export and the erasure of one person's data.
///
/// An export contains what the person wrote. An erasure deletes what the person wrote. What the other member wrote stays with
/// that member and in that member's export, in a conversation that is over and names the erased person by identifier only. So an
/// export never reveals whether the other member was erased or ended the match. The conversation is deleted when its second
/// member is erased.
enum ChatTables {
    static let all = [conversations, messages, reactions, held, received, usage, .plain("chat_search_progress")]

    private static let mine = "SELECT id FROM chat_conversations WHERE user_a = ?1 OR user_b = ?1"
    private static let oldest = "FROM chat_messages WHERE sender_id = ?1 ORDER BY sender_id, client_id LIMIT ?2"

    private static let conversations = TableDeclaration.userLinked(
        "chat_conversations",
        exportPage: { session, user, page in
            var position = OwnConversations.Position(page.after)
            while let next = try OwnConversations.next(after: position, of: user, in: session) {
                let (mine, other) = next.side == 0 ? ("a", "b") : ("b", "a")
                var hasRoom = true
                try session.statement(
                    """
                    SELECT id, match_id, user_\(other), last_seq, \(mine)_read, created_at,
                        coalesce(\(other)_gone_at, ended_at)
                    FROM chat_conversations WHERE id = ?1
                    """
                ).forEach([.integer(next.conversation)]) { row in
                    let conversation = JSONValue.object([
                        JSONMember("id", .string(ConversationID(rawValue: row.integer(0)).wire)),
                        JSONMember("match_id", .string(MatchID(rawValue: row.integer(1)).wire)),
                        JSONMember("user_id", .string(UserID(rawValue: row.integer(2)).wire)),
                        JSONMember("last_seq", .integer(row.integer(3))),
                        JSONMember("read_seq", .integer(row.integer(4))),
                        JSONMember("created_at", time(row.integer(5))),
                        JSONMember("ended_at", time(row.optional(6))),
                    ])
                    hasRoom = page.append(conversation, at: next.key)
                    return hasRoom
                }
                guard hasRoom else { return }
                position = next
            }
        },
        erase: { session, user in
            for (side, number, other) in [("a", 1, 2), ("b", 2, 1)] {
                try session.run("DELETE FROM chat_conversations WHERE user_\(side) = ? AND erased = \(other)", user.rawValue)
                try session.run(
                    """
                    UPDATE chat_conversations SET erased = \(number), has_holes = 1, \(side)_read = 0, \(side)_received = 0,
                        ended_at = coalesce(ended_at, \(side)_gone_at, created_at)
                    WHERE user_\(side) = ?
                    """, user.rawValue)
            }
        })

    private static let messages = TableDeclaration.userLinked(
        "chat_messages",
        exportPage: { session, user, page in
            try forEachOwnConversation(of: user, &page, in: session) { conversation, seq, position, page in
                var hasRoom = true
                try session.statement(
                    """
                    SELECT id, conversation_id, seq, content, text, sent_at, edited_at, deleted_at, client_id, sender_id
                    FROM chat_messages WHERE conversation_id = ?1 AND seq > ?2 ORDER BY seq
                    """
                ).forEach([.integer(conversation), .integer(seq)]) { row in
                    let key = position.key(at: row.integer(2))
                    guard row.integer(9) == user.rawValue else {
                        hasRoom = page.pass(key)
                        return hasRoom
                    }
                    let message = JSONValue.object([
                        JSONMember("id", .string(MessageID(rawValue: row.integer(0)).wire)),
                        JSONMember("conversation_id", .string(ConversationID(rawValue: row.integer(1)).wire)),
                        JSONMember("seq", .integer(row.integer(2))),
                        JSONMember("kind", MessageContent(rawValue: row.integer(3)).map { .string($0.wire) } ?? .null),
                        JSONMember("text", .string(row.text(4))),
                        JSONMember("sent_at", time(row.integer(5))),
                        JSONMember("edited_at", time(row.optional(6))),
                        JSONMember("deleted_at", time(row.optional(7))),
                        JSONMember("client_id", .string(row.text(8))),
                    ])
                    hasRoom = page.append(message, at: key)
                    return hasRoom
                }
                return hasRoom
            }
        },
        eraseStep: eraseMessages,
        erase: TableDeclaration.erasing("DELETE FROM chat_messages WHERE sender_id = ?"))

    private static let reactions = TableDeclaration.userLinked(
        "chat_reactions",
        exportPage: { session, user, page in
            let after = page.after.count == 2 ? page.after : [.integer(.min), .integer(.min)]
            try session.statement(
                """
                SELECT conversation_id, seq, reaction FROM chat_reactions
                WHERE user_id = ?1 AND (conversation_id, seq) > (?2, ?3) ORDER BY conversation_id, seq
                """
            ).forEach([.integer(user.rawValue)] + after) { row in
                let reaction = JSONValue.object([
                    JSONMember("conversation_id", .string(ConversationID(rawValue: row.integer(0)).wire)),
                    JSONMember("seq", .integer(row.integer(1))), JSONMember("reaction", .string(row.text(2))),
                ])
                return page.append(reaction, at: [.integer(row.integer(0)), .integer(row.integer(1))])
            }
        },
        eraseStep: TableDeclaration.step(
            """
            DELETE FROM chat_reactions WHERE (conversation_id, seq, user_id) IN (
                SELECT conversation_id, seq, user_id FROM chat_reactions WHERE user_id = ?1 LIMIT ?2)
            """),
        erase: TableDeclaration.erasing("DELETE FROM chat_reactions WHERE user_id = ?"))

    private static let held = TableDeclaration.userLinked(
        "chat_held",
        exportPage: { session, user, page in
            try session.statement(
                """
                SELECT conversation_id, client_id, text, held_at FROM chat_held
                WHERE sender_id = ?1 AND client_id > ?2 ORDER BY client_id
                """
            ).forEach([.integer(user.rawValue), page.after.first ?? .text("")]) { row in
                let held = JSONValue.object([
                    JSONMember("conversation_id", .string(ConversationID(rawValue: row.integer(0)).wire)),
                    JSONMember("client_id", .string(row.text(1))), JSONMember("text", .string(row.text(2))),
                    JSONMember("held_at", time(row.integer(3))),
                ])
                return page.append(held, at: [.text(row.text(1))])
            }
        },
        eraseStep: TableDeclaration.step(
            "DELETE FROM chat_held WHERE id IN (SELECT id FROM chat_held WHERE sender_id = ?1 LIMIT ?2)"),
        erase: TableDeclaration.erasing("DELETE FROM chat_held WHERE conversation_id IN (\(mine))"))

    private static let received = TableDeclaration.userLinked(
        "chat_received",
        export: { session, user in
            try session.rows("SELECT offset FROM chat_received WHERE user_id = ?", user.rawValue) { row in
                ["offset": .integer(row[0])]
            }
        },
        erase: TableDeclaration.erasing("DELETE FROM chat_received WHERE user_id = ?"))

    private static let usage = TableDeclaration.userLinked(
        "chat_usage",
        export: { session, user in
            try session.rows("SELECT day, messages, bytes FROM chat_usage WHERE user_id = ?", user.rawValue) { row in
                [
                    "day": .string(CivilDate(daysSinceEpoch: row[0]).description), "messages": .integer(row[1]),
                    "bytes": .integer(row[2]),
                ]
            }
        },
        erase: TableDeclaration.erasing("DELETE FROM chat_usage WHERE user_id = ?"))

    /// Visits the person's conversations from where the previous page ended.
    /// - Parameter body: visits the messages after a place of the conversation; returns false if the page is full.
    private static func forEachOwnConversation(
        of user: UserID, _ page: inout ExportPage, in session: SQLSession,
        _ body: (
            _ conversation: Int64, _ seq: Int64, _ position: OwnConversations.Position, _ page: inout ExportPage
        ) throws -> Bool
    ) throws {
        var position = OwnConversations.Position(page.after)
        if let seq = OwnConversations.Position.seq(in: page.after) {
            guard try body(position.conversation, seq, position, &page) else { return }
        }
        while let next = try OwnConversations.next(after: position, of: user, in: session) {
            guard page.pass(next.key(at: 0)), try body(next.conversation, 0, next, &page) else { return }
            position = next
        }
    }

    /// Deletes some of the person's messages. Returns whether there may be more.
    private static func eraseMessages(_ session: SQLSession, _ user: UserID, _ limit: Int) throws -> Bool {
        let arguments: [SQLValue] = [.integer(user.rawValue), .integer(Int64(limit))]
        try session.statement(
            "UPDATE chat_conversations SET has_holes = 1 WHERE has_holes = 0 AND id IN (SELECT conversation_id \(oldest))"
        ).run(arguments)
        return try session.statement("DELETE FROM chat_messages WHERE id IN (SELECT id \(oldest))").run(arguments) > 0
    }

    private static func time(_ milliseconds: Int64?) -> JSONValue {
        milliseconds.map { .string(Timestamp(milliseconds: $0).description) } ?? .null
    }
}
