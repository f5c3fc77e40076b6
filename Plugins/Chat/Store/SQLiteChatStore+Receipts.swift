import SparkCore
import SparkStorage

// From "my devices have my stream up to here" to "your message has arrived": each message in the part of the stream that is new
// to the devices is one that somebody wrote to the user, or the user themselves.

extension SQLiteChatStore {
    /// Events that are looked at for one user in one turn.
    private static let mostEvents: Int64 = 2_000

    func received(_ offsets: [UserID: Int64]) async throws -> [UserID: Int64] {
        try await storage.write { transaction in
            var rest: [UserID: Int64] = [:]
            for (user, offset) in offsets.sorted(by: { $0.key < $1.key }) {
                let head = try UserEventLog.head(of: user, in: transaction.session)
                let end = min(offset, head)
                let reached = try receive(upTo: end, of: user, transaction)
                if reached < end { rest[user] = end }
            }
            return rest
        }
    }

    /// - Returns: up to which offset it is done.
    private func receive(upTo offset: Int64, of user: UserID, _ transaction: WriteTransaction) throws -> Int64 {
        let session = transaction.session
        let old =
            try session.statement("SELECT offset FROM chat_received WHERE user_id = ?")
            .row([.integer(user.rawValue)]) { $0.integer(0) } ?? 0
        guard offset > old else { return offset }
        // Where retention has taken the stream's beginning, there is nothing to look at.
        let first = try session.statement(
            "SELECT offset FROM spark_inbox WHERE user_id = ? AND offset > ? ORDER BY offset LIMIT 1"
        ).row([.integer(user.rawValue), .integer(old)]) { $0.integer(0) }
        let end = min(offset, max(old, (first ?? offset) - 1) + Self.mostEvents)
        try session.statement(
            "INSERT INTO chat_received (user_id, offset) VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET offset = excluded.offset"
        ).run([.integer(user.rawValue), .integer(end)])
        for (conversation, seq) in try arrived(in: (old + 1)...end, of: user, session) {
            try mark(seq, in: conversation, asReceivedBy: user, transaction)
        }
        return end
    }

    /// The last message of each conversation in a part of a user's stream that others wrote.
    private func arrived(
        in offsets: ClosedRange<Int64>, of user: UserID, _ session: SQLSession
    ) throws -> [(ConversationID, Int64)] {
        var found: [(ConversationID, Int64)] = []
        try session.statement(
            """
            SELECT i.subject, max(i.ordinal) FROM spark_inbox i
            JOIN chat_messages m ON m.conversation_id = i.subject AND m.seq = i.ordinal
            WHERE i.user_id = ?1 AND i.offset BETWEEN ?2 AND ?3 AND i.type = 'message' AND m.sender_id <> ?1
            GROUP BY i.subject
            """
        ).forEach([.integer(user.rawValue), .integer(offsets.lowerBound), .integer(offsets.upperBound)]) { row in
            found.append((ConversationID(rawValue: row.integer(0)), row.integer(1)))
            return true
        }
        return found
    }

    private func mark(
        _ seq: Int64, in id: ConversationID, asReceivedBy user: UserID, _ transaction: WriteTransaction
    ) throws {
        let session = transaction.session
        // A conversation that is gone sends no receipts.
        guard let (conversation, other) = try ConversationRows.findLive(id, of: user, in: session),
            seq > conversation.marks(of: user).received
        else { return }
        let column = user == conversation.userA ? "a_received" : "b_received"
        try session.statement("UPDATE chat_conversations SET \(column) = ? WHERE id = ?")
            .run([.integer(seq), .integer(id.rawValue)])
        try tell(ChatEvents.receipt(id, by: user, received: seq), [other], in: transaction)
    }
}
