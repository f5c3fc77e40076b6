import GRDB
import SparkCore
import SparkStorage

/// What is unread is counted anew each time it is asked for: live messages of the other one after the user's mark.
enum UnreadQuery {
    private static let count = """
        SELECT count(*) FROM chat_messages
        WHERE conversation_id = ?1 AND seq > ?2 AND sender_id <> ?3 AND deleted_at IS NULL
        """

    /// Only conversations in which something stands after the mark are looked into.
    private static let total = """
        SELECT coalesce(sum(unread), 0) FROM (
            SELECT (SELECT count(*) FROM chat_messages m WHERE m.conversation_id = c.id AND m.seq > c.a_read
                AND m.sender_id <> ?1 AND m.deleted_at IS NULL) AS unread
            FROM chat_conversations c WHERE c.user_a = ?1 AND c.last_seq > c.a_read AND c.ended_at IS NULL
                AND EXISTS (SELECT 1 FROM profiles_users WHERE id = c.user_b AND closed = 0)
            UNION ALL
            SELECT (SELECT count(*) FROM chat_messages m WHERE m.conversation_id = c.id AND m.seq > c.b_read
                AND m.sender_id <> ?1 AND m.deleted_at IS NULL) AS unread
            FROM chat_conversations c WHERE c.user_b = ?1 AND c.last_seq > c.b_read AND c.ended_at IS NULL
                AND EXISTS (SELECT 1 FROM profiles_users WHERE id = c.user_a AND closed = 0))
        """

    static func count(in conversation: ConversationID, after mark: Int64, of user: UserID, _ database: Database) throws -> Int {
        let values: [SQLValue] = [.integer(conversation.rawValue), .integer(mark), .integer(user.rawValue)]
        return Int(try RawStatement(count, in: database).row(values) { $0.integer(0) } ?? 0)
    }

    static func total(of user: UserID, _ database: Database) throws -> Int {
        Int(try RawStatement(total, in: database).row([.integer(user.rawValue)]) { $0.integer(0) } ?? 0)
    }

    /// Of one conversation after a mark, and over all.
    static func counts(
        in conversation: ConversationID, after mark: Int64, of user: UserID, _ database: Database
    ) throws -> UnreadCounts {
        UnreadCounts(
            part: .init(conversation: conversation, count: try count(in: conversation, after: mark, of: user, database)),
            total: try total(of: user, database))
    }
}
