import SparkCore
import SparkKit
import SparkStorage

// What is done to messages that stand already.

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

    /// Writes a numbered event for some users.
    func tell(_ event: ChatEvents.Numbered, _ users: [UserID], in transaction: WriteTransaction) throws {
        let deliveries = try users.map {
            try stream.record(
                event.event, members: event.members, for: $0, at: transaction.now, in: transaction.session)
        }
        transaction.afterCommit { [stream] in stream.deliver(deliveries) }
    }

    /// Tells the devices of a user how much is unread over all.
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

    /// A new text is asked about like a new message; only the limit of conversations has nothing to say.
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
