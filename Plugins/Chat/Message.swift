import SparkCore
import SparkStorage

/// A row of `chat_messages`.
struct Message: Hashable, Sendable {
    let id: MessageID
    let conversation: ConversationID
    /// The place in the conversation: assigned from 1 without gaps.
    let seq: Int64
    let from: UserID
    let clientID: String
    let content: MessageContent
    /// Empty for a deleted message.
    var text: String
    let sentAt: Timestamp
    var editedAt: Timestamp?
    var isDeleted: Bool

    /// The columns that `init` reads, in its order.
    static let columns =
        "id, conversation_id, seq, sender_id, client_id, content, text, sent_at, edited_at, deleted_at IS NOT NULL"

    init(_ row: borrowing SQLRow) {
        id = MessageID(rawValue: row.integer(0))
        conversation = ConversationID(rawValue: row.integer(1))
        seq = row.integer(2)
        from = UserID(rawValue: row.integer(3))
        clientID = row.text(4)
        content = MessageContent(rawValue: row.integer(5)) ?? .text
        text = row.text(6)
        sentAt = row.time(7)
        editedAt = row.optional(8).map { Timestamp(milliseconds: $0) }
        isDeleted = row.flag(9)
    }

    init(
        id: MessageID, conversation: ConversationID, seq: Int64, from: UserID, clientID: String, content: MessageContent,
        text: String, sentAt: Timestamp, editedAt: Timestamp? = nil, isDeleted: Bool = false
    ) {
        self.id = id
        self.conversation = conversation
        self.seq = seq
        self.from = from
        self.clientID = clientID
        self.content = content
        self.text = text
        self.sentAt = sentAt
        self.editedAt = editedAt
        self.isDeleted = isDeleted
    }
}

/// One user's reaction to a message.
struct Reaction: Hashable, Sendable {
    /// The length of a reaction in Unicode scalars; long enough for the longest family and flag emoji.
    static let scalars = 1...16

    let user: UserID
    let reaction: String

    /// One visible character in its stored form; nil for anything else.
    static func normalised(_ text: String) -> String? { TextRule.visibleCharacter(text, atMost: scalars.upperBound) }
}

/// A message with its reactions.
struct ShownMessage: Hashable, Sendable {
    let message: Message
    let reactions: [Reaction]
}

/// The receipt of a stored message.
struct SendReceipt: Hashable, Sendable {
    let id: MessageID
    let conversation: ConversationID
    let seq: Int64
    let sentAt: Timestamp
    /// An earlier request stored the message.
    let isDuplicate: Bool
}
