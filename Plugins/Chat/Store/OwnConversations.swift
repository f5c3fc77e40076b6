import SparkCore
import SparkStorage

/// Visits one person's conversations in index order: first those in which the person is `user_a`, by the other member; then those
/// in which the person is `user_b`, by identifier.
enum OwnConversations {
    /// A position in that order. The default is before the first conversation.
    struct Position {
        var side: Int64 = 0
        /// The sort key within the side: the other member, or the conversation's identifier.
        var order: Int64 = .min
        var conversation: Int64 = .min

        init() {}

        /// - Parameter key: a value of `key`. Anything else is the beginning.
        init(_ key: [SQLValue]) {
            guard key.count >= 3, case .integer(let side) = key[0], case .integer(let order) = key[1],
                case .integer(let conversation) = key[2]
            else { return }
            (self.side, self.order, self.conversation) = (side, order, conversation)
        }

        var key: [SQLValue] { [.integer(side), .integer(order), .integer(conversation)] }

        /// The key of a message in the conversation.
        func key(at seq: Int64) -> [SQLValue] { key + [.integer(seq)] }

        /// The message's place in a key that has one.
        static func seq(in key: [SQLValue]) -> Int64? {
            guard key.count == 4, case .integer(let seq) = key[3] else { return nil }
            return seq
        }
    }

    /// The next conversation; nil at the end.
    static func next(after position: Position, of user: UserID, in session: SQLSession) throws -> Position? {
        var position = position
        if position.side == 0 {
            let found = try session.statement(
                """
                SELECT user_b, id FROM chat_conversations
                WHERE user_a = ?1 AND user_b >= ?2 AND (user_b, id) > (?2, ?3) ORDER BY user_b, id LIMIT 1
                """
            ).row([.integer(user.rawValue), .integer(position.order), .integer(position.conversation)]) {
                ($0.integer(0), $0.integer(1))
            }
            if let (order, conversation) = found {
                (position.order, position.conversation) = (order, conversation)
                return position
            }
            position.side = 1
            (position.order, position.conversation) = (.min, .min)
        }
        let found = try session.statement("SELECT id FROM chat_conversations WHERE user_b = ?1 AND id > ?2 ORDER BY id LIMIT 1")
            .row([.integer(user.rawValue), .integer(position.order)]) { $0.integer(0) }
        guard let found else { return nil }
        (position.order, position.conversation) = (found, found)
        return position
    }
}
