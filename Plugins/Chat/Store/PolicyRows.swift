import SparkCore
import SparkStorage

/// What the message policies read, inside the transaction of the message that they judge.
enum PolicyRows {
    /// A message as a policy looks at it.
    struct SentText {
        let sender: UserID
        /// A text, and not a picture or a sticker.
        let isText: Bool
        let text: String
        let sentAt: Timestamp
    }

    /// Visits the newest messages of a conversation that are not deleted, newest first, until `visit` returns false.
    static func newest(
        _ limit: Int, in conversation: ConversationID, _ session: SQLSession, visit: (SentText) -> Bool
    ) throws {
        try session.forEach(
            """
            SELECT sender_id, content, text, sent_at FROM chat_messages
            WHERE conversation_id = ? AND deleted_at IS NULL ORDER BY seq DESC LIMIT ?
            """, conversation, limit
        ) { row in
            visit(
                SentText(
                    sender: row[0], isText: row.integer(1) == Int64(MessageContent.text.rawValue), text: row[2], sentAt: row[3]))
        }
    }

    /// How many conversations a person opened on the UTC day of an instant.
    static func opened(by user: UserID, on day: CivilDate, _ session: SQLSession) throws -> Int {
        try session.value(
            "SELECT count(*) FROM chat_conversations WHERE opened_by = ? AND opened_at >= ? AND opened_at < ?", user,
            day.startOfDay, day.startOfDay + .days(1)) ?? 0
    }

    /// How many different people reported a person since an instant; reports that were found to be nothing are left out.
    static func reporters(of user: UserID, since: Timestamp, _ session: SQLSession) throws -> Int {
        try session.value(
            """
            SELECT count(DISTINCT coalesce(reporter_id, -reporter_tag, 0)) FROM matching_reports
            WHERE target_id = ? AND created_at > ? AND coalesce(decision, '') <> 'none'
            """, user, since) ?? 0
    }
}
