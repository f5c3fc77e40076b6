import SparkCore
import SparkStorage

/// Reads and writes rows of messages on the caller's session.
enum MessageRows {
    /// The message at a place of a conversation that is not gone; nil if there is none.
    static func live(_ seq: Int64, in conversation: ConversationID, _ session: SQLSession) throws -> Message? {
        try session.row(
            """
            SELECT \(Message.columns) FROM chat_messages WHERE conversation_id = ?1 AND seq = ?2
                AND EXISTS (SELECT 1 FROM chat_conversations WHERE chat_conversations.id = ?1 AND \(LiveConversation.condition))
            """, conversation.rawValue, seq
        ) { Message($0) }
    }

    /// The outcome of an earlier message with the same sender and client identifier; nil for a new message.
    static func known(_ pending: PendingSend, in session: SQLSession) throws -> SendOutcome? {
        let key: [SQLValue] = [.integer(pending.sender.rawValue), .text(pending.clientID)]
        let stored = try session.statement(
            "SELECT id, conversation_id, seq, sent_at FROM chat_messages WHERE sender_id = ? AND client_id = ?"
        ).row(key) { row in
            SendReceipt(
                id: MessageID(rawValue: row.integer(0)), conversation: ConversationID(rawValue: row.integer(1)),
                seq: row.integer(2), sentAt: row.time(3), isDuplicate: true)
        }
        if let stored {
            return stored.conversation == pending.conversation ? .duplicate(stored) : .refused(ChatError.clientIDReused)
        }
        guard !pending.isReviewed else { return nil }
        let held = try session.statement("SELECT conversation_id FROM chat_held WHERE sender_id = ? AND client_id = ?").row(key) {
            ConversationID(rawValue: $0.integer(0))
        }
        return held.map { .refused($0 == pending.conversation ? ChatError.held : ChatError.clientIDReused) }
    }

    static func insert(_ message: Message, in session: SQLSession) throws {
        try session.statement(
            """
            INSERT INTO chat_messages (id, conversation_id, seq, sender_id, client_id, content, text, sent_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(message.id.rawValue), .integer(message.conversation.rawValue), .integer(message.seq),
            .integer(message.from.rawValue), .text(message.clientID), .integer(message.content.rawValue), .text(message.text),
            .time(message.sentAt),
        ])
    }

    /// Whether a message is the first reply of the member who did not open the conversation. Checked in the first 50 messages
    /// only.
    static func isFirstReply(_ message: Message, in conversation: Conversation, _ session: SQLSession) throws -> Bool {
        guard let opener = conversation.openedBy, opener != message.from, conversation.lastSeq <= 50 else { return false }
        let earlier = try session.statement("SELECT 1 FROM chat_messages WHERE conversation_id = ? AND +sender_id = ? LIMIT 1")
            .row([.integer(conversation.id.rawValue), .integer(message.from.rawValue)]) { _ in true }
        return earlier == nil
    }

    static func hold(_ pending: PendingSend, id: MessageID, at now: Timestamp, in session: SQLSession) throws {
        try session.statement(
            """
            INSERT INTO chat_held (id, conversation_id, sender_id, client_id, content, text, held_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(id.rawValue), .integer(pending.conversation.rawValue), .integer(pending.sender.rawValue),
            .text(pending.clientID), .integer(pending.content.rawValue), .text(pending.text), .time(now),
        ])
    }

    /// The highest identifier of a message; 0 if there is none.
    static func highestID(in session: SQLSession) throws -> Int64 {
        try session.statement("SELECT max(id) FROM chat_messages").row([]) { $0.integer(0) } ?? 0
    }

    /// The newest messages of a conversation, newest first.
    static func newest(of conversation: ConversationID, limit: Int, _ session: SQLSession) throws -> [Message] {
        var messages: [Message] = []
        try session.statement("SELECT \(Message.columns) FROM chat_messages WHERE conversation_id = ? ORDER BY seq DESC LIMIT ?")
            .forEach([.integer(conversation.rawValue), .integer(Int64(limit))]) { row in
                messages.append(Message(row))
                return true
            }
        return messages
    }

    /// One message by its place; nil if it is not stored.
    static func find(_ seq: Int64, in conversation: ConversationID, _ session: SQLSession) throws -> Message? {
        try session.statement("SELECT \(Message.columns) FROM chat_messages WHERE conversation_id = ? AND seq = ?").row([
            .integer(conversation.rawValue), .integer(seq),
        ]) { Message($0) }
    }
}

/// When a conversation is gone: one rule for every route, frame and query.
enum LiveConversation {
    /// An SQL condition on a row of `chat_conversations`: it has not ended, and both accounts are open.
    ///
    /// While a member's account is closed, the conversation is gone; when the account reopens, the conversation is as it was.
    static let condition = """
        ended_at IS NULL
        AND (SELECT closed FROM profiles_users WHERE profiles_users.id = chat_conversations.user_a) = 0
        AND (SELECT closed FROM profiles_users WHERE profiles_users.id = chat_conversations.user_b) = 0
        """

    /// Binds the conversation to `?1`.
    static let query = "SELECT \(Conversation.columns) FROM chat_conversations WHERE id = ?1 AND \(condition)"
}

/// Reads and writes rows of conversations on the caller's session.
enum ConversationRows {
    /// A conversation, whether or not it is gone.
    static func find(_ id: ConversationID, in session: SQLSession) throws -> Conversation? {
        try session.statement("SELECT \(Conversation.columns) FROM chat_conversations WHERE id = ?")
            .row([.integer(id.rawValue)]) { Conversation($0) }
    }

    /// A conversation of a user that is not gone, with its other member; nil otherwise.
    static func findLive(
        _ id: ConversationID, of user: UserID, in session: SQLSession
    ) throws -> (conversation: Conversation, other: UserID)? {
        let found = try session.statement(LiveConversation.query).row([.integer(id.rawValue)]) { Conversation($0) }
        guard let found, let other = found.other(than: user) else { return nil }
        return (found, other)
    }

    /// A conversation of a user that is not gone, with its other member.
    /// - Throws: `ChatError.gone`.
    static func live(
        _ id: ConversationID, of user: UserID, in session: SQLSession
    ) throws -> (conversation: Conversation, other: UserID) {
        guard let found = try findLive(id, of: user, in: session) else { throw ChatError.gone }
        return found
    }

    /// Appends a message to a conversation's end; the first one opens the conversation.
    static func extend(_ conversation: Conversation, by message: Message, in session: SQLSession) throws {
        try session.statement(
            """
            UPDATE chat_conversations SET last_seq = ?1, last_at = CASE WHEN last_at < ?2 THEN ?2 ELSE last_at END
            WHERE id = ?3
            """
        ).run([.integer(message.seq), .time(message.sentAt), .integer(conversation.id.rawValue)])
        guard conversation.openedBy == nil else { return }
        try session.statement("UPDATE chat_conversations SET opened_by = ?, opened_at = ? WHERE id = ?")
            .run([.integer(message.from.rawValue), .time(message.sentAt), .integer(conversation.id.rawValue)])
    }
}
