import SparkCore
import SparkKit
import SparkStorage

/// A conversation comes into being with its match and is over with it, in the match's own transaction; both are told.
struct MatchFollowing: MatchParticipant {
    let store: SQLiteChatStore

    func matched(_ event: MatchCreated, in work: any UnitOfWork) throws {
        guard event.users.count == 2, let userA = event.users.min(), let userB = event.users.max() else { return }
        let transaction = work.transaction
        try RawStatement(
            """
            INSERT INTO chat_conversations (id, match_id, user_a, user_b, last_at, created_at) VALUES (?, ?, ?, ?, ?5, ?5)
            ON CONFLICT DO NOTHING
            """, in: transaction.database
        ).run([
            .integer(event.conversation.rawValue), .integer(event.match.rawValue), .integer(userA.rawValue),
            .integer(userB.rawValue), .time(transaction.now),
        ])
        for (user, other) in [(userA, userB), (userB, userA)] {
            try store.tell(ChatEvents.match(event.match, event.conversation, with: other), [user], in: transaction)
        }
    }

    func ended(_ event: MatchEnded, by: UserID, in work: any UnitOfWork) throws {
        let transaction = work.transaction
        try RawStatement("UPDATE chat_conversations SET ended_at = ? WHERE id = ? AND ended_at IS NULL", in: transaction.database)
            .run([.time(transaction.now), .integer(event.conversation.rawValue)])
        // Nobody may decide any more that these are sent.
        try RawStatement("DELETE FROM chat_held WHERE conversation_id = ?", in: transaction.database)
            .run([.integer(event.conversation.rawValue)])
        try store.tell(ChatEvents.unmatch(event.conversation), event.users, in: transaction)
        for user in event.users {
            let unread = UnreadCounts(part: nil, total: try UnreadQuery.total(of: user, transaction.database))
            transaction.afterCommit { [stream = store.stream] in stream.notify(user, ChatFrames.unread(unread)) }
        }
    }
}
