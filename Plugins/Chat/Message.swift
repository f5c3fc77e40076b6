import SparkCore
import SparkStorage

/// A message as it is now.
struct Message: Hashable, Sendable {
    let id: MessageID
    let conversation: ConversationID
    /// From 1, dense in its conversation.
    let seq: Int64
    let from: UserID
    let clientID: String
    let content: MessageContent
    /// Empty once deleted.
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

/// What somebody answered to a message with one sign.
struct Reaction: Hashable, Sendable {
    /// Unicode scalars of the one character at most: the longest families and flags.
    static let scalars = 1...16

    let user: UserID
    let reaction: String

    /// One visible character as it is stored; nil for anything else.
    static func normalised(_ text: String) -> String? { TextRule.visibleCharacter(text, atMost: scalars.upperBound) }
}

/// A message with what was answered to it.
struct ShownMessage: Hashable, Sendable {
    let message: Message
    let reactions: [Reaction]
}

/// That a message is stored.
struct SendReceipt: Hashable, Sendable {
    let id: MessageID
    let conversation: ConversationID
    let seq: Int64
    let sentAt: Timestamp
    /// Stored by an earlier request.
    let isDuplicate: Bool
}
