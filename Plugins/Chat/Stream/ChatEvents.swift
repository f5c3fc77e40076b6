import SparkCore
import SparkKit
import SparkStorage

/// The numbered events that Chat records, with the members that connected devices receive.
///
/// Events with people's texts are stored by reference, so that no text outlives its message.
enum ChatEvents {
    /// An event with the members that are sent live.
    typealias Numbered = (event: UserEvent, members: [UInt8])

    static func message(_ message: Message) -> Numbered {
        let event = UserEvent(type: "message", subject: message.conversation.rawValue, ordinal: message.seq)
        return (event, Frame.members(capacity: 320 + message.text.utf8.count) { message.writeMembers(to: &$0) })
    }

    static func edited(_ message: Message) -> Numbered {
        let event = UserEvent(type: "message.edited", subject: message.conversation.rawValue, ordinal: message.seq)
        return (event, editedMembers(message))
    }

    static func deleted(_ message: Message) -> Numbered {
        let event = UserEvent(type: "message.deleted", subject: message.conversation.rawValue, ordinal: message.seq)
        return (event, deletedMembers(message))
    }

    static func receipt(_ conversation: ConversationID, by user: UserID, read: Int64? = nil, received: Int64? = nil) -> Numbered {
        kept("receipt", conversation) { writer in
            writer.field("conversation", conversation)
            writer.field("by", user)
            if let read { writer.field("read", read) }
            if let received { writer.field("received", received) }
        }
    }

    static func reaction(_ reaction: String?, to seq: Int64, in conversation: ConversationID, by user: UserID) -> Numbered {
        kept("reaction", conversation) { writer in
            writer.field("conversation", conversation)
            writer.field("seq", seq)
            writer.field("by", user)
            writer.key("reaction")
            if let reaction { writer.value(reaction) } else { writer.null() }
        }
    }

    static func match(_ match: MatchID, _ conversation: ConversationID, with other: UserID) -> Numbered {
        kept("match", conversation) { writer in
            writer.field("match", match)
            writer.field("user", other)
            writer.field("conversation", conversation)
        }
    }

    static func unmatch(_ conversation: ConversationID) -> Numbered {
        kept("unmatch", conversation) { $0.field("conversation", conversation) }
    }

    private static func kept(
        _ type: String, _ conversation: ConversationID, _ members: (inout JSONWriter) -> Void
    ) -> Numbered {
        let bytes = Frame.members(members)
        return (UserEvent(type: type, subject: conversation.rawValue, members: bytes), bytes)
    }

    fileprivate static func editedMembers(_ message: Message) -> [UInt8] {
        Frame.members(capacity: 200 + message.text.utf8.count) { writer in
            writer.field("conversation", message.conversation)
            writer.field("seq", message.seq)
            writer.field("text", message.text)
            if let editedAt = message.editedAt { writer.field("edited_at", editedAt) }
            writer.field("by", message.from)
            if message.isDeleted { writer.field("deleted", true) }
        }
    }

    fileprivate static func deletedMembers(_ message: Message) -> [UInt8] {
        Frame.members { writer in
            writer.field("conversation", message.conversation)
            writer.field("seq", message.seq)
            writer.field("by", message.from)
        }
    }
}

/// Builds the members of events stored by reference from the messages as they are now.
enum ChatReplay {
    static func message(_ event: UserEvent, _ user: UserID, _ session: SQLSession) throws -> [UInt8]? {
        guard let message = try find(event, session) else { return removed(event) }
        return Frame.members(capacity: 320 + message.text.utf8.count) { message.writeMembers(to: &$0) }
    }

    static func edited(_ event: UserEvent, _ user: UserID, _ session: SQLSession) throws -> [UInt8]? {
        try find(event, session).map(ChatEvents.editedMembers) ?? removed(event)
    }

    static func deleted(_ event: UserEvent, _ user: UserID, _ session: SQLSession) throws -> [UInt8]? {
        try find(event, session).map(ChatEvents.deletedMembers) ?? removed(event)
    }

    private static func find(_ event: UserEvent, _ session: SQLSession) throws -> Message? {
        try session.row(
            """
            SELECT \(Message.columns) FROM chat_messages WHERE conversation_id = ?1 AND seq = ?2
                AND EXISTS (SELECT 1 FROM chat_conversations WHERE chat_conversations.id = ?1 AND \(LiveConversation.condition))
            """, event.subject, event.ordinal
        ) { Message($0) }
    }

    /// The members for a message that retention or an erasure deleted: only its place. A message in a conversation that is gone
    /// gets the same members, so that a replay does not reveal an erasure.
    private static func removed(_ event: UserEvent) -> [UInt8] {
        Frame.members { writer in
            writer.field("conversation", ConversationID(rawValue: event.subject))
            writer.field("seq", event.ordinal)
            writer.field("text", "")
            writer.field("deleted", true)
        }
    }
}
