import SparkCore

// The JSON answers of Chat.

/// A conversation in a list.
struct ConversationView: JSONWritable, SchemaDescribed, Sendable {
    let entry: ConversationEntry
    let card: ProfileCard

    init(_ entry: ConversationEntry, card: ProfileCard) {
        self.entry = entry
        self.card = card
    }

    func write(to writer: inout JSONWriter) {
        let conversation = entry.conversation
        let (mine, theirs) = (conversation.marks(of: entry.viewer), conversation.marks(of: entry.other))
        writer.object { writer in
            writer.field("id", conversation.id)
            writer.field("match_id", conversation.match)
            writer.field("user", card)
            writer.key("last_message")
            if let message = entry.lastMessage { MessageView(message: message).write(to: &writer) } else { writer.null() }
            writer.field("last_seq", conversation.lastSeq)
            writer.field("unread", entry.unread)
            writer.field("read_seq", mine.read)
            writer.field("peer_read_seq", theirs.read)
            // A message that was read was also received.
            writer.field("peer_received_seq", max(theirs.read, theirs.received))
            writer.field("last_activity_at", conversation.lastAt)
        }
    }

    static let schemaName = "Conversation"
    static let schema = Schema.object([
        .required("id", .identifier(ConversationKind.self)),
        .required("match_id", .identifier(MatchKind.self)),
        .required("user", ProfileCard.reference),
        .required("last_message", .nullable(MessageView.reference)),
        .required("last_seq", .integer(0...Int.max)),
        .required("unread", .integer(0...Int.max)),
        .required("read_seq", .integer(0...Int.max)),
        .required("peer_read_seq", .integer(0...Int.max)),
        .required("peer_received_seq", .integer(0...Int.max)),
        .required("last_activity_at", .dateTime),
    ])
}

/// A message without its reactions.
struct MessageView: JSONWritable, SchemaDescribed, Sendable {
    let message: Message

    func write(to writer: inout JSONWriter) {
        writer.object { message.writeMembers(to: &$0) }
    }

    static let schemaName = "BareMessage"
    static let schema = Schema.object(Message.place + Message.contents { .required($0, $1) } + Message.further)
}

/// The receipt of a stored message.
struct SentView: JSONWritable, SchemaDescribed, Sendable {
    let receipt: SendReceipt
    let clientID: String

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", receipt.id)
            writer.field("conversation_id", receipt.conversation)
            writer.field("client_id", clientID)
            writer.field("seq", receipt.seq)
            writer.field("sent_at", receipt.sentAt)
        }
    }

    static let schemaName = "SentMessage"
    static let schema = Schema.object([
        .required("id", .identifier(MessageKind.self)), .required("conversation_id", .identifier(ConversationKind.self)),
        .required("client_id", .string(NewMessage.clientIDLength)), .required("seq", .integer(1...Int.max)),
        .required("sent_at", .dateTime),
    ])
}

/// The unread counts after a read mark moved.
struct ReadView: JSONWritable, SchemaDescribed, Sendable {
    let conversation: ConversationID
    let unread: UnreadCounts
    let mark: Int64

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("conversation_id", conversation)
            writer.field("unread", unread.part?.count ?? 0)
            writer.field("unread_total", unread.total)
            writer.field("read_seq", mark)
        }
    }

    static let schemaName = "ReadResult"
    static let schema = Schema.object([
        .required("conversation_id", .identifier(ConversationKind.self)), .required("unread", .integer(0...Int.max)),
        .required("unread_total", .integer(0...Int.max)), .required("read_seq", .integer(0...Int.max)),
    ])
}

/// The total of unread messages, for the app's badge.
struct UnreadView: JSONWritable, SchemaDescribed, Sendable {
    let total: Int

    func write(to writer: inout JSONWriter) {
        writer.object { $0.field("unread_total", total) }
    }

    static let schemaName = "Unread"
    static let schema = Schema.object([.required("unread_total", .integer(0...Int.max))])
}
