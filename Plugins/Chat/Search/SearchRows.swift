import GRDB
import SparkCore
import SparkStorage

/// The rows of the full-text index, inside a write.
///
/// The index keeps words without texts (SQLite FTS5, section 4.4.3, "contentless tables"), so what is taken out of it must be
/// named with the very text that was put in. In it stands each text message that is not deleted, up to the watermark.
enum SearchRows {
    static func watermark(in database: Database) throws -> Int64 {
        try RawStatement("SELECT message_id FROM chat_search_progress", in: database).row([]) { $0.integer(0) } ?? 0
    }

    /// Another text stands in a message.
    static func replace(_ message: Message, by text: String, in conversation: Conversation, _ database: Database) throws {
        guard try isIndexed(message, database) else { return }
        try delete(message.id.rawValue, members(conversation.userA, conversation.userB), message.text, database)
        try insert(message.id.rawValue, members(conversation.userA, conversation.userB), text, database)
    }

    /// A message is about to lose its text.
    static func remove(_ message: Message, in conversation: Conversation, _ database: Database) throws {
        guard try isIndexed(message, database) else { return }
        try delete(message.id.rawValue, members(conversation.userA, conversation.userB), message.text, database)
    }

    /// Takes messages out that a condition on `m` names, before their rows go.
    static func removeAll(where condition: String, _ values: [SQLValue], _ database: Database) throws {
        var found: [(id: Int64, members: String, text: String)] = []
        try RawStatement(
            """
            SELECT m.id, c.user_a, c.user_b, m.text FROM chat_messages m JOIN chat_conversations c ON c.id = m.conversation_id
            WHERE \(condition) AND m.content = 0 AND m.deleted_at IS NULL
                AND m.id <= (SELECT message_id FROM chat_search_progress)
            """, in: database
        ).forEach(values) { row in
            found.append((row.integer(0), members(row), row.text(3)))
            return true
        }
        for row in found { try delete(row.id, row.members, row.text, database) }
    }

    /// Puts the next messages in.
    /// - Returns: whether there may be more.
    static func advance(limit: Int, in database: Database) throws -> Bool {
        let from = try watermark(in: database)
        var (found, last, count): ([(id: Int64, members: String, text: String)], Int64, Int) = ([], from, 0)
        try RawStatement(
            """
            SELECT m.id, c.user_a, c.user_b, m.text, m.content = 0 AND m.deleted_at IS NULL
            FROM chat_messages m JOIN chat_conversations c ON c.id = m.conversation_id
            WHERE m.id > ? ORDER BY m.id LIMIT ?
            """, in: database
        ).forEach([.integer(from), .integer(Int64(limit))]) { row in
            last = row.integer(0)
            count += 1
            if row.flag(4) { found.append((last, members(row), row.text(3))) }
            return true
        }
        guard count > 0 else { return false }
        for row in found { try insert(row.id, row.members, row.text, database) }
        try RawStatement("UPDATE chat_search_progress SET message_id = ?", in: database).run([.integer(last)])
        return count == limit
    }

    static func insert(_ id: Int64, _ members: String, _ text: String, _ database: Database) throws {
        try RawStatement("INSERT INTO chat_search (rowid, members, text) VALUES (?, ?, ?)", in: database)
            .run([.integer(id), .text(members), .text(text)])
    }

    /// One word for each of the two, which no text can be mistaken for: texts stand in another column.
    static func members(_ userA: UserID, _ userB: UserID) -> String { "\(word(of: userA)) \(word(of: userB))" }

    static func word(of user: UserID) -> String { "u\(user.rawValue)" }

    private static func members(_ row: borrowing SQLRow) -> String {
        members(UserID(rawValue: row.integer(1)), UserID(rawValue: row.integer(2)))
    }

    private static func delete(_ id: Int64, _ members: String, _ text: String, _ database: Database) throws {
        try RawStatement(
            "INSERT INTO chat_search (chat_search, rowid, members, text) VALUES ('delete', ?, ?, ?)", in: database
        ).run([.integer(id), .text(members), .text(text)])
    }

    private static func isIndexed(_ message: Message, _ database: Database) throws -> Bool {
        try message.content == .text && message.id.rawValue <= watermark(in: database)
    }
}
