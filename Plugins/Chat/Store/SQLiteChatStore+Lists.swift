import SparkCore
import SparkStorage

// What is read. Conversations have no index by activity, since every message would have to move in it; a person has few enough of
// them to sort.

extension SQLiteChatStore {
    func conversation(_ id: ConversationID) throws -> Conversation? {
        try storage.pointRead { session in
            try session.row("SELECT \(Conversation.columns) FROM chat_conversations WHERE id = ?1", id.rawValue) {
                Conversation($0)
            }
        }
    }

    func live(_ id: ConversationID, of user: UserID) throws -> Conversation {
        let found = try storage.pointRead { session in
            try session.row(LiveConversation.query, id.rawValue) { Conversation($0) }
        }
        guard let found, found.other(than: user) != nil else { throw ChatError.gone }
        return found
    }

    func conversation(between user: UserID, and other: UserID) throws -> Conversation? {
        try storage.pointRead { session in
            try session.row(
                """
                SELECT \(Conversation.columns) FROM chat_conversations
                WHERE user_a = ?1 AND user_b = ?2 AND \(LiveConversation.condition)
                """, min(user, other).rawValue, max(user, other).rawValue
            ) { Conversation($0) }
        }
    }

    func firstSeq(of conversation: ConversationID) throws -> Int64 {
        try storage.pointRead { session in
            try session.row(
                "SELECT seq FROM chat_messages WHERE conversation_id = ?1 ORDER BY seq LIMIT 1", conversation.rawValue
            ) { $0.integer(0) } ?? 1
        }
    }

    func conversations(of user: UserID, after position: ActivityPosition, limit: Int) async throws -> ConversationPage {
        try await storage.read { session in
            var found: [Conversation] = []
            try session.statement(Self.list).forEach([
                .integer(user.rawValue), .time(position.at), .integer(position.id), .integer(Int64(limit) + 1),
            ]) { row in
                found.append(Conversation(row))
                return true
            }
            let shown = found.prefix(limit)
            let next =
                found.count > limit ? shown.last.map { ActivityPosition(at: $0.lastAt, id: $0.id.rawValue) } : nil
            return ConversationPage(
                entries: try shown.compactMap { try Self.entry(of: $0, for: user, session) }, next: next,
                unreadTotal: try UnreadQuery.total(of: user, session))
        }
    }

    func entry(_ id: ConversationID, of user: UserID) async throws -> ConversationEntry? {
        try await storage.read { session in
            guard let (conversation, _) = try ConversationRows.findLive(id, of: user, in: session) else { return nil }
            return try Self.entry(of: conversation, for: user, session)
        }
    }

    func messages(of conversation: ConversationID, in seqs: [ClosedRange<Int64>]) async throws -> [[ShownMessage]] {
        try await storage.read { session in try seqs.map { try Self.messages(of: conversation, in: $0, session) } }
    }

    func unread(of user: UserID, in conversation: ConversationID?) async throws -> UnreadCounts {
        try await storage.read { session in
            guard let conversation else {
                return UnreadCounts(part: nil, total: try UnreadQuery.total(of: user, session))
            }
            let (found, _) = try ConversationRows.live(conversation, of: user, in: session)
            return try UnreadQuery.counts(in: conversation, after: found.marks(of: user).read, of: user, session)
        }
    }

    private static let list = """
        SELECT \(Conversation.columns) FROM chat_conversations
        WHERE user_a = ?1 AND (last_at, id) < (?2, ?3) AND \(LiveConversation.condition)
        UNION ALL
        SELECT \(Conversation.columns) FROM chat_conversations
        WHERE user_b = ?1 AND (last_at, id) < (?2, ?3) AND \(LiveConversation.condition)
        ORDER BY last_at DESC, id DESC LIMIT ?4
        """

    private static func entry(
        of conversation: Conversation, for user: UserID, _ session: SQLSession
    ) throws -> ConversationEntry? {
        guard let other = conversation.other(than: user) else { return nil }
        let mark = conversation.marks(of: user).read
        return ConversationEntry(
            conversation: conversation, viewer: user, other: other,
            unread: mark < conversation.lastSeq
                ? try UnreadQuery.count(in: conversation.id, after: mark, of: user, session) : 0,
            lastMessage: try MessageRows.find(conversation.lastSeq, in: conversation.id, session))
    }

    private static func messages(
        of conversation: ConversationID, in seqs: ClosedRange<Int64>, _ session: SQLSession
    ) throws -> [ShownMessage] {
        let range: [SQLValue] = [.integer(conversation.rawValue), .integer(seqs.lowerBound), .integer(seqs.upperBound)]
        var reactions: [Int64: [Reaction]] = [:]
        try session.statement(
            """
            SELECT seq, user_id, reaction FROM chat_reactions
            WHERE conversation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq, user_id
            """
        ).forEach(range) { row in
            let reaction = Reaction(user: UserID(rawValue: row.integer(1)), reaction: row.text(2))
            reactions[row.integer(0), default: []].append(reaction)
            return true
        }
        var messages: [ShownMessage] = []
        try session.statement(
            """
            SELECT \(Message.columns) FROM chat_messages
            WHERE conversation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq
            """
        ).forEach(range) { row in
            let message = Message(row)
            messages.append(ShownMessage(message: message, reactions: reactions[message.seq] ?? []))
            return true
        }
        return messages
    }
}
