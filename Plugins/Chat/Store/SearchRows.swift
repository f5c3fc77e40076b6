import SparkCore
import SparkStorage

/// The reads of the search.
enum SearchRows {
    /// A user's conversations that are not gone, each with the place of its last message.
    static func conversations(of user: UserID, in session: SQLSession) throws -> [(conversation: Int64, last: Int64)] {
        var found: [(Int64, Int64)] = []
        try session.statement(
            """
            SELECT id, last_seq FROM chat_conversations WHERE user_a = ?1 AND last_seq > 0 AND \(LiveConversation.condition)
            UNION ALL
            SELECT id, last_seq FROM chat_conversations WHERE user_b = ?1 AND last_seq > 0 AND \(LiveConversation.condition)
            """
        ).forEach([.integer(user.rawValue)]) { row in
            found.append((row.integer(0), row.integer(1)))
            return true
        }
        return found
    }

    /// The newest message of a conversation with an identifier below `position`; nil if there is none. Identifiers rise with
    /// places, so a binary search finds it.
    static func head(
        of conversation: Int64, last: Int64, before position: Int64, in session: SQLSession
    ) throws -> SearchHead? {
        guard var newest = try at(last, of: conversation, in: session) else { return nil }
        guard newest.id >= position else { return newest }
        // No message is at or below `low`, or the one there is old enough. The message at `high` is too new.
        var (low, high): (Int64, Int64) = (0, newest.seq)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            guard let head = try at(middle, of: conversation, in: session) else {
                // Retention deleted the beginning.
                low = middle
                continue
            }
            if head.id < position { (low, newest) = (max(head.seq, middle), head) } else { high = head.seq }
        }
        return newest.id < position ? newest : nil
    }

    /// The last message at or before a place, read from the index alone.
    private static func at(_ seq: Int64, of conversation: Int64, in session: SQLSession) throws -> SearchHead? {
        try session.statement(
            "SELECT id, seq FROM chat_messages WHERE conversation_id = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
        ).row([.integer(conversation), .integer(seq)]) { row in
            SearchHead(id: row.integer(0), conversation: conversation, seq: row.integer(1))
        }
    }

    /// Visits messages from a head on, newest first. Columns: identifier, place, whether there is a text to search, the text.
    static func forEach(
        from head: SearchHead, limit: Int, in session: SQLSession, _ body: (borrowing SQLRow) throws -> Void
    ) throws {
        try session.statement(
            """
            SELECT id, seq, content = 0 AND deleted_at IS NULL, text FROM chat_messages
            WHERE conversation_id = ? AND seq <= ? ORDER BY seq DESC LIMIT ?
            """
        ).forEach([.integer(head.conversation), .integer(head.seq), .integer(Int64(limit))]) { row in
            try body(row)
            return true
        }
    }

    /// Those of the given messages that the user may still see and that still match, in the given order.
    static func messages(
        _ ids: [Int64], of user: UserID, matching query: SearchQuery, in session: SQLSession
    ) throws -> [Message] {
        var live: [ConversationID: Bool] = [:]
        return try ids.compactMap { id in
            let found = try session.statement("SELECT \(Message.columns) FROM chat_messages WHERE id = ? AND deleted_at IS NULL")
                .row([.integer(id)]) { Message($0) }
            guard let message = found, query.matches(FoldedText(message.text)) else { return nil }
            let isLive =
                try live[message.conversation] ?? (ConversationRows.findLive(message.conversation, of: user, in: session) != nil)
            live[message.conversation] = isLive
            return isLive ? message : nil
        }
    }
}
