import SparkCore
import SparkKit
import SparkStorage

/// What Chat stores, in terms of its domain. A change of a conversation also writes the events for both members in the same
/// transaction, and delivers them after the commit.
protocol ChatStore: Sendable {
    /// A conversation, whether or not it is gone. Takes a few microseconds.
    func conversation(_ id: ConversationID) async throws -> Conversation?
    /// A conversation of this user that is not gone.
    /// - Throws: `ChatError.gone`.
    func live(_ id: ConversationID, of user: UserID) async throws -> Conversation
    /// The conversation of two users; nil if there is none or it is gone.
    func conversation(between user: UserID, and other: UserID) async throws -> Conversation?
    /// A user's conversations that are not gone, those with the newest activity first.
    func conversations(of user: UserID, after position: ActivityPosition, limit: Int) async throws -> ConversationPage
    /// One conversation of a user; nil if it is gone or belongs to others.
    func entry(_ id: ConversationID, of user: UserID) async throws -> ConversationEntry?
    /// The place of the first message that is stored.
    func firstSeq(of conversation: ConversationID) async throws -> Int64
    /// The messages in ranges of places, in order. Messages that retention deleted are missing.
    func messages(of conversation: ConversationID, in seqs: [ClosedRange<Int64>]) async throws -> [[ShownMessage]]

    /// Replaces the text of a message.
    /// - Throws: `ChatError.gone`; `EdgeError.notFound` unless it is a message of this user that is not deleted;
    ///   `ChatError.editWindow`; `ChatError.quotaReached`; and the refusal of a policy.
    func edit(_ seq: Int64, in conversation: ConversationID, by user: UserID, text: String) async throws -> ShownMessage
    /// Deletes the text of a message for good; the row stays.
    /// - Throws: `ChatError.gone`; `EdgeError.notFound` unless it is a message of this user that is not deleted;
    ///   `ChatError.deleteWindow`.
    func delete(_ seq: Int64, in conversation: ConversationID, by user: UserID) async throws
    /// Sets the user's reaction to a message; nil removes it.
    /// - Throws: `ChatError.gone`, `EdgeError.notFound`.
    func react(_ reaction: String?, to seq: Int64, in conversation: ConversationID, by user: UserID) async throws
    /// Moves the read mark forward, never back and never past the last message. Publishes `ConversationRead` if it moved.
    /// - Returns: the unread counts after the change, and the mark.
    /// - Throws: `ChatError.gone`.
    func read(upTo seq: Int64, in conversation: ConversationID, by user: UserID) async throws -> (
        unread: UnreadCounts, mark: Int64
    )

    /// The unread counts of a user, in total and in one conversation if one is given.
    func unread(of user: UserID, in conversation: ConversationID?) async throws -> UnreadCounts
    /// Records that users' devices have received their event logs up to an offset, and sends receipts to the authors.
    /// - Returns: the users, with their offsets, who had more events than one turn handles. The caller passes them again.
    func received(_ offsets: [UserID: Int64]) async throws -> [UserID: Int64]
}

/// The position of a page of conversations: after the conversation of this activity and identifier.
struct ActivityPosition: Hashable, Sendable {
    let at: Timestamp
    let id: Int64

    static let newest = ActivityPosition(at: Timestamp(milliseconds: .max), id: .max)
}

/// A conversation in the list of one of its members.
struct ConversationEntry: Sendable {
    let conversation: Conversation
    let viewer: UserID
    let other: UserID
    let unread: Int
    let lastMessage: Message?
}

/// A page of a user's conversations.
struct ConversationPage: Sendable {
    let entries: [ConversationEntry]
    let next: ActivityPosition?
    let unreadTotal: Int
}

/// The implementation of `ChatStore` on SQLite.
struct SQLiteChatStore: ChatStore {
    let storage: any Storage
    let stream: any EventStreaming
    let rules: MessageRules
    let policies: Contributions<any MessagePolicy>
    let quota: MessageQuota
}

// Reads. Conversations have no index by activity, because every message would move an entry in it. A user has few enough
// conversations to sort.

extension SQLiteChatStore {
    func conversation(_ id: ConversationID) async throws -> Conversation? {
        try await storage.pointRead { session in
            try session.row("SELECT \(Conversation.columns) FROM chat_conversations WHERE id = ?1", id.rawValue) {
                Conversation($0)
            }
        }
    }

    func live(_ id: ConversationID, of user: UserID) async throws -> Conversation {
        let found = try await storage.pointRead { session in
            try session.row(LiveConversation.query, id.rawValue) { Conversation($0) }
        }
        guard let found, found.other(than: user) != nil else { throw ChatError.gone }
        return found
    }

    func conversation(between user: UserID, and other: UserID) async throws -> Conversation? {
        try await storage.pointRead { session in
            try session.row(
                """
                SELECT \(Conversation.columns) FROM chat_conversations
                WHERE user_a = ?1 AND user_b = ?2 AND \(LiveConversation.condition)
                """, min(user, other).rawValue, max(user, other).rawValue
            ) { Conversation($0) }
        }
    }

    func firstSeq(of conversation: ConversationID) async throws -> Int64 {
        try await storage.pointRead { session in
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

// Changes of existing messages.

extension SQLiteChatStore {
    func edit(_ seq: Int64, in conversation: ConversationID, by user: UserID, text: String) async throws -> ShownMessage {
        try await storage.write { transaction in
            let session = transaction.session
            let (found, other) = try ConversationRows.live(conversation, of: user, in: session)
            var message = try Self.own(seq, in: conversation, of: user, session)
            guard transaction.now - message.sentAt < rules.editWindow else { throw ChatError.editWindow }
            guard text != message.text else { return try Self.shown(message, session) }
            guard message.content == .text || rules.pictures.names(text, as: message.content) else {
                throw InvalidInput.refused(
                    "/text", "format", "An identifier, or an address at one of the servers that the operator allows.")
            }
            var tally = quota.tally()
            if let refusal = try tally.refusal(to: user, bytes: text.utf8.count, in: transaction) { throw refusal }
            try judge(text, instead: message, in: found, to: other, transaction)
            try tally.count(user, bytes: text.utf8.count, in: transaction)
            tally.keep(after: transaction)
            message.text = text
            message.editedAt = transaction.now
            try session.statement("UPDATE chat_messages SET text = ?, edited_at = ? WHERE id = ?")
                .run([.text(text), .time(transaction.now), .integer(message.id.rawValue)])
            transaction.publish(MessageChanged(conversation: conversation, seq: seq))
            try tell(ChatEvents.edited(message), found.users, in: transaction)
            return try Self.shown(message, session)
        }
    }

    func delete(_ seq: Int64, in conversation: ConversationID, by user: UserID) async throws {
        try await storage.write { transaction in
            let session = transaction.session
            let (found, other) = try ConversationRows.live(conversation, of: user, in: session)
            let message = try Self.own(seq, in: conversation, of: user, session)
            if let window = rules.deleteWindow, transaction.now - message.sentAt >= window { throw ChatError.deleteWindow }
            try session.statement("UPDATE chat_messages SET text = '', deleted_at = ? WHERE id = ?")
                .run([.time(transaction.now), .integer(message.id.rawValue)])
            try session.statement("DELETE FROM chat_reactions WHERE conversation_id = ? AND seq = ?")
                .run([.integer(conversation.rawValue), .integer(seq)])
            transaction.publish(MessageChanged(conversation: conversation, seq: seq))
            try tell(ChatEvents.deleted(message), found.users, in: transaction)
            let mark = found.marks(of: other).read
            if mark < seq { try tellUnread(of: other, in: conversation, after: mark, transaction) }
        }
    }

    func react(_ reaction: String?, to seq: Int64, in conversation: ConversationID, by user: UserID) async throws {
        try await storage.write { transaction in
            let session = transaction.session
            let (found, _) = try ConversationRows.live(conversation, of: user, in: session)
            guard let message = try MessageRows.find(seq, in: conversation, session), !message.isDeleted else {
                throw EdgeError.notFound
            }
            let key: [SQLValue] = [.integer(conversation.rawValue), .integer(seq), .integer(user.rawValue)]
            let before = try session.statement(
                "SELECT reaction FROM chat_reactions WHERE conversation_id = ? AND seq = ? AND user_id = ?"
            ).row(key) { $0.text(0) }
            guard before != reaction else { return }
            if let reaction {
                try session.statement(
                    """
                    INSERT INTO chat_reactions (conversation_id, seq, user_id, reaction) VALUES (?, ?, ?, ?)
                    ON CONFLICT (conversation_id, seq, user_id) DO UPDATE SET reaction = excluded.reaction
                    """
                ).run(key + [.text(reaction)])
            } else {
                try session.statement("DELETE FROM chat_reactions WHERE conversation_id = ? AND seq = ? AND user_id = ?").run(key)
            }
            transaction.publish(MessageChanged(conversation: conversation, seq: seq))
            try tell(ChatEvents.reaction(reaction, to: seq, in: conversation, by: user), found.users, in: transaction)
        }
    }

    func read(
        upTo seq: Int64, in conversation: ConversationID, by user: UserID
    ) async throws -> (unread: UnreadCounts, mark: Int64) {
        try await storage.write { transaction in
            let session = transaction.session
            let (found, _) = try ConversationRows.live(conversation, of: user, in: session)
            let old = found.marks(of: user).read
            let mark = max(old, min(seq, found.lastSeq))
            guard mark > old else {
                return (try UnreadQuery.counts(in: conversation, after: old, of: user, session), old)
            }
            let column = user == found.userA ? "a_read" : "b_read"
            try session.statement("UPDATE chat_conversations SET \(column) = ? WHERE id = ?")
                .run([.integer(mark), .integer(conversation.rawValue)])
            transaction.publish(ConversationRead(conversation: conversation, user: user, seq: mark))
            try tell(ChatEvents.receipt(conversation, by: user, read: mark), found.users, in: transaction)
            return (try tellUnread(of: user, in: conversation, after: mark, transaction), mark)
        }
    }

    /// Records a numbered event for some users, and delivers it after the commit.
    func tell(_ event: ChatEvents.Numbered, _ users: [UserID], in transaction: WriteTransaction) throws {
        let deliveries = try users.map {
            try stream.record(
                event.event, members: event.members, for: $0, at: transaction.now, in: transaction.session)
        }
        transaction.afterCommit { [stream] in stream.deliver(deliveries) }
    }

    /// Sends a user's connections the total of unread messages after the commit.
    func tellUnreadTotal(of user: UserID, in transaction: WriteTransaction) throws {
        let unread = UnreadCounts(part: nil, total: try UnreadQuery.total(of: user, transaction.session))
        transaction.afterCommit { [stream] in stream.notify(user, ChatServerFrames.unread(unread)) }
    }

    @discardableResult
    private func tellUnread(
        of user: UserID, in conversation: ConversationID, after mark: Int64, _ transaction: WriteTransaction
    ) throws -> UnreadCounts {
        let unread = try UnreadQuery.counts(in: conversation, after: mark, of: user, transaction.session)
        transaction.afterCommit { [stream] in stream.notify(user, ChatServerFrames.unread(unread)) }
        return unread
    }

    /// Applies the policies to an edited text as to a new message, except for the limit of new conversations.
    private func judge(
        _ text: String, instead message: Message, in conversation: Conversation, to other: UserID, _ transaction: WriteTransaction
    ) throws {
        let draft = MessageDraft(
            conversation: conversation.id, from: message.from, to: other, content: message.content, text: text,
            isOpening: message.seq == 1)
        for policy in policies.all where !(policy is NewConversationLimit) {
            switch try policy.judge(draft, at: transaction.now, in: transaction) {
            case .allow: continue
            case .deny(let error): throw error
            case .hold: throw ChatError.held
            }
        }
    }

    private static func own(
        _ seq: Int64, in conversation: ConversationID, of user: UserID, _ session: SQLSession
    ) throws -> Message {
        guard let message = try MessageRows.find(seq, in: conversation, session), message.from == user, !message.isDeleted else {
            throw EdgeError.notFound
        }
        return message
    }

    private static func shown(_ message: Message, _ session: SQLSession) throws -> ShownMessage {
        var reactions: [Reaction] = []
        try session.statement(
            "SELECT user_id, reaction FROM chat_reactions WHERE conversation_id = ? AND seq = ? ORDER BY user_id"
        ).forEach([.integer(message.conversation.rawValue), .integer(message.seq)]) { row in
            reactions.append(Reaction(user: UserID(rawValue: row.integer(0)), reaction: row.text(1)))
            return true
        }
        return ShownMessage(message: message, reactions: reactions)
    }
}

// Turns "my devices have received my event log up to here" into "your message has arrived". Each message in the new part of the
// log was written by the other member or by the user.

extension SQLiteChatStore {
    /// The most events that are read for one user in one turn.
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

    /// - Returns: the offset up to which the log was handled.
    private func receive(upTo offset: Int64, of user: UserID, _ transaction: WriteTransaction) throws -> Int64 {
        let session = transaction.session
        let old =
            try session.statement("SELECT offset FROM chat_received WHERE user_id = ?")
            .row([.integer(user.rawValue)]) { $0.integer(0) } ?? 0
        guard offset > old else { return offset }
        // Retention deletes the beginning of the log; that part is skipped.
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

    /// For each conversation, the last message of the other member in a part of a user's event log.
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

extension SQLiteChatStore {
    /// How much a user does in Chat, for moderators.
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
