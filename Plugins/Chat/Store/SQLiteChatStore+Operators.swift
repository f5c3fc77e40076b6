import SparkCore
import SparkStorage

extension SQLiteChatStore {
    /// How much a person does in Chat, for those who moderate.
    func counts(of user: UserID) async throws -> (conversations: Int64, messages: Int64, held: Int64) {
        try await storage.read { session in
            try session.statement(
                """
                SELECT (SELECT count(*) FROM chat_conversations WHERE user_a = ?1 AND ended_at IS NULL)
                        + (SELECT count(*) FROM chat_conversations WHERE user_b = ?1 AND ended_at IS NULL),
                    (SELECT count(*) FROM chat_messages WHERE sender_id = ?1),
                    (SELECT count(*) FROM chat_held WHERE sender_id = ?1)
                """
            ).row([.integer(user.rawValue)]) { ($0.integer(0), $0.integer(1), $0.integer(2)) } ?? (0, 0, 0)
        }
    }
}
