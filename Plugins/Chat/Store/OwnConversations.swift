import SparkCore
import SparkStorage

/// One person's conversations in an order that indexes have: first those in which the person is the one side, by the other person, then
/// those in which the person is the other side, by their own number.
enum OwnConversations {
    /// A conversation in that order; before the first one with nothing in it.
    struct Position {
        var side: Int64 = 0
        /// What the order of the side goes by.
        var order: Int64 = .min
        var conversation: Int64 = .min

        init() {}

        /// - Parameter key: as `key` gives it; anything else is the beginning.
        init(_ key: [SQLValue]) {
            guard key.count >= 3, case .integer(let side) = key[0], case .integer(let order) = key[1],
                case .integer(let conversation) = key[2]
            else { return }
            (self.side, self.order, self.conversation) = (side, order, conversation)
        }

        var key: [SQLValue] { [.integer(side), .integer(order), .integer(conversation)] }

        /// With a message of the conversation.
        func key(at seq: Int64) -> [SQLValue] { key + [.integer(seq)] }

        static func seq(in key: [SQLValue]) -> Int64? {
            guard key.count == 4, case .integer(let seq) = key[3] else { return nil }
            return seq
        }
    }

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
