import SparkCore
import SparkKit
import SparkStorage

/// Creates and ends conversations with their matches, in the match's own transaction, and sends both members the events.
struct MatchFollowing: MatchParticipant {
    let store: SQLiteChatStore

    func matched(_ event: MatchCreated, in work: any UnitOfWork) throws {
        guard event.users.count == 2, let userA = event.users.min(), let userB = event.users.max() else { return }
        let transaction = work.transaction
        try transaction.session.statement(
            """
            INSERT INTO chat_conversations (id, match_id, user_a, user_b, last_at, created_at) VALUES (?, ?, ?, ?, ?5, ?5)
            ON CONFLICT (id) DO NOTHING
            """
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
        try transaction.session.statement("UPDATE chat_conversations SET ended_at = ? WHERE id = ? AND ended_at IS NULL")
            .run([.time(transaction.now), .integer(event.conversation.rawValue)])
        // Held messages of an ended conversation can no longer be sent.
        try transaction.session.statement("DELETE FROM chat_held WHERE conversation_id = ?")
            .run([.integer(event.conversation.rawValue)])
        // A member whose partner left earlier received this event then.
        let left = try transaction.session.statement(
            "SELECT user_a, user_b, a_gone_at IS NOT NULL, b_gone_at IS NOT NULL FROM chat_conversations WHERE id = ?"
        ).row([.integer(event.conversation.rawValue)]) { row in
            (row.flag(3) ? [UserID(rawValue: row.integer(0))] : []) + (row.flag(2) ? [UserID(rawValue: row.integer(1))] : [])
        }
        let users = event.users.filter { left?.contains($0) != true }
        try store.tell(ChatEvents.unmatch(event.conversation), users, in: transaction)
        for user in users { try store.tellUnreadTotal(of: user, in: transaction) }
    }
}

/// Ends a conversation for the member who remains when the other closes the account or is suspended, with the same events at the
/// same moment as an unmatch. When the account reopens, the conversation is restored, and the member receives a match event.
struct ConversationDepartures: ClosureParticipant {
    let store: SQLiteChatStore
    let presence: Presence

    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws {
        let transaction = work.transaction
        var left: [(conversation: ConversationID, match: MatchID, other: UserID)] = []
        for (side, other) in [("a", "b"), ("b", "a")] {
            let change = "ended_at IS NULL AND (\(side)_gone_at IS NULL) = ?2"
            try transaction.session.statement(
                "SELECT id, match_id, user_\(other) FROM chat_conversations WHERE user_\(side) = ?1 AND \(change) ORDER BY id"
            ).forEach([.integer(user.rawValue), .flag(isClosed)]) { row in
                left.append(
                    (
                        ConversationID(rawValue: row.integer(0)), MatchID(rawValue: row.integer(1)),
                        UserID(rawValue: row.integer(2))
                    ))
                return true
            }
            try transaction.session.statement(
                "UPDATE chat_conversations SET \(side)_gone_at = ?3 WHERE user_\(side) = ?1 AND \(change)"
            ).run([.integer(user.rawValue), .flag(isClosed), isClosed ? .time(transaction.now) : .null])
        }
        for (conversation, match, other) in left {
            guard isClosed else {
                try store.tell(ChatEvents.match(match, conversation, with: user), [other], in: transaction)
                try store.tellUnreadTotal(of: other, in: transaction)
                continue
            }
            // The remaining member's held messages are deleted. Those of the person who left wait for the person's return.
            try transaction.session.statement("DELETE FROM chat_held WHERE conversation_id = ? AND sender_id = ?")
                .run([.integer(conversation.rawValue), .integer(other.rawValue)])
            try store.tell(ChatEvents.unmatch(conversation), [other], in: transaction)
            try store.tellUnreadTotal(of: other, in: transaction)
        }
        guard isClosed, !left.isEmpty else { return }
        transaction.afterCommit { [presence, left] in
            for (_, _, other) in left { presence.part([user, other]) }
        }
    }
}
