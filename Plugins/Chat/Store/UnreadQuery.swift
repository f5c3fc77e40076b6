import SparkCore
import SparkStorage

/// Counts unread messages on demand: those of the other member after the user's read mark that are not deleted.
enum UnreadQuery {
    private static let count = """
        SELECT count(*) FROM chat_messages
        WHERE conversation_id = ?1 AND seq > ?2 AND sender_id <> ?3 AND deleted_at IS NULL
        """

    /// Counts only in conversations with messages after the mark.
    private static let total = """
        SELECT coalesce(sum(unread), 0) FROM (
            SELECT (SELECT count(*) FROM chat_messages m WHERE m.conversation_id = chat_conversations.id AND m.seq > a_read
                AND m.sender_id <> ?1 AND m.deleted_at IS NULL) AS unread
            FROM chat_conversations WHERE user_a = ?1 AND last_seq > a_read AND \(LiveConversation.condition)
            UNION ALL
            SELECT (SELECT count(*) FROM chat_messages m WHERE m.conversation_id = chat_conversations.id AND m.seq > b_read
                AND m.sender_id <> ?1 AND m.deleted_at IS NULL) AS unread
            FROM chat_conversations WHERE user_b = ?1 AND last_seq > b_read AND \(LiveConversation.condition))
        """

    static func count(in conversation: ConversationID, after mark: Int64, of user: UserID, _ session: SQLSession) throws -> Int {
        let values: [SQLValue] = [.integer(conversation.rawValue), .integer(mark), .integer(user.rawValue)]
        return Int(try session.statement(count).row(values) { $0.integer(0) } ?? 0)
    }

    static func total(of user: UserID, _ session: SQLSession) throws -> Int {
        Int(try session.statement(total).row([.integer(user.rawValue)]) { $0.integer(0) } ?? 0)
    }

    /// The count of one conversation after a mark, and the total.
    static func counts(
        in conversation: ConversationID, after mark: Int64, of user: UserID, _ session: SQLSession
    ) throws -> UnreadCounts {
        UnreadCounts(
            part: .init(conversation: conversation, count: try count(in: conversation, after: mark, of: user, session)),
            total: try total(of: user, session))
    }
}
