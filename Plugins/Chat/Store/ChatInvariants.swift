import SparkKit
import SparkStorage

/// Invariants between the rows, checked by `spark check`.
enum ChatInvariants {
    static let all = [
        count(
            "messages are numbered without holes",
            """
            SELECT COUNT(*) FROM (
                SELECT count(*) AS rows, min(m.seq) AS low, max(m.seq) AS high, c.last_seq AS last,
                    coalesce(c.has_holes, 0) AS has_holes
                FROM chat_messages m LEFT JOIN chat_conversations c ON c.id = m.conversation_id GROUP BY m.conversation_id)
            WHERE last IS NULL OR (has_holes = 0 AND (high - low + 1 <> rows OR low < 1 OR high <> last))
            """, fault: "conversations whose messages have holes or do not reach their end"),
        count(
            "marks are within conversations",
            """
            SELECT COUNT(*) FROM chat_conversations
            WHERE last_seq < 0 OR a_read NOT BETWEEN 0 AND last_seq OR b_read NOT BETWEEN 0 AND last_seq
                OR a_received NOT BETWEEN 0 AND last_seq OR b_received NOT BETWEEN 0 AND last_seq
            """, fault: "conversations with a mark beyond their last message"),
        count(
            "conversations begin with a message",
            "SELECT COUNT(*) FROM chat_conversations WHERE (opened_by IS NULL) <> (last_seq = 0)",
            fault: "conversations that were opened without a message, or not by their first one"),
        count(
            "every match has its conversation",
            """
            SELECT COUNT(*) FROM matching_matches m LEFT JOIN chat_conversations c ON c.id = m.conversation_id
            WHERE c.id IS NULL OR c.match_id <> m.id OR c.user_a <> m.user_a OR c.user_b <> m.user_b
                OR (c.ended_at IS NULL) <> (m.ended_at IS NULL) OR (c.a_gone_at IS NULL) <> (m.a_gone_at IS NULL)
                OR (c.b_gone_at IS NULL) <> (m.b_gone_at IS NULL) OR c.erased <> m.erased
            """, fault: "matches whose conversation is missing or another's, or where only one of both is over"),
        count(
            "every conversation has its match",
            "SELECT COUNT(*) FROM chat_conversations WHERE id NOT IN (SELECT conversation_id FROM matching_matches)",
            fault: "conversations without a match"),
        count(
            "senders are in their conversations",
            """
            SELECT COUNT(*) FROM chat_messages m JOIN chat_conversations c ON c.id = m.conversation_id
            WHERE m.sender_id NOT IN (c.user_a, c.user_b)
            """, fault: "messages of people who are not in the conversation"),
        count(
            "deleted messages are empty",
            "SELECT COUNT(*) FROM chat_messages WHERE deleted_at IS NOT NULL AND text <> ''",
            fault: "deleted messages whose text is still there"),
        count(
            "reactions belong to messages",
            """
            SELECT COUNT(*) FROM chat_reactions r LEFT JOIN chat_messages m
                ON m.conversation_id = r.conversation_id AND m.seq = r.seq
            WHERE (m.id IS NULL OR m.deleted_at IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM chat_conversations c WHERE c.id = r.conversation_id AND c.has_holes = 1)
            """, fault: "reactions to messages that no longer exist"),
        count(
            "messages of a conversation have rising identifiers",
            """
            SELECT COUNT(*) FROM (
                SELECT id, lag(id) OVER (PARTITION BY conversation_id ORDER BY seq) AS before FROM chat_messages)
            WHERE id <= before
            """, fault: "messages that the search would miss"),
    ]

    private static func count(_ name: String, _ sql: String, fault: String) -> Invariant {
        Invariant(name) { session in
            let found = try session.value(sql, as: Int.self) ?? 0
            return found == 0 ? [] : ["\(found) \(fault)"]
        }
    }
}
