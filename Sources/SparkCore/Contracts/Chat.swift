/// The kind of a message's content. The store holds the raw values.
public enum MessageContent: Int64, WireWord {
    /// A text.
    case text = 0
    /// A sticker: its identifier or address.
    case sticker = 1
    /// An animated picture: its identifier or address.
    case gif = 2

    /// The word on the wire.
    public var wire: String {
        switch self {
        case .text: "text"
        case .sticker: "sticker"
        case .gif: "gif"
        }
    }

    /// One sentence for the OpenAPI document.
    public static let summary = "What a message is: a text, or the identifier or address of a picture."
}

/// A message that a person wants to send.
public struct MessageDraft: Sendable {
    /// The conversation of the two people.
    public let conversation: ConversationID
    /// The sender.
    public let from: UserID
    /// The recipient.
    public let to: UserID
    /// The kind of content.
    public let content: MessageContent
    /// The text, or the identifier or address of a sticker or GIF.
    public let text: String
    /// True if it is the first message of the conversation.
    public let isOpening: Bool

    /// Creates a draft.
    public init(
        conversation: ConversationID, from: UserID, to: UserID, content: MessageContent, text: String, isOpening: Bool
    ) {
        self.conversation = conversation
        self.from = from
        self.to = to
        self.content = content
        self.text = text
        self.isOpening = isOpening
    }
}

/// A policy's decision about a draft.
public enum MessageVerdict: Sendable {
    /// The message may be sent.
    case allow
    /// The message is refused; the sender gets the error.
    case deny(any ClientError)
    /// The message waits until a moderator has decided.
    case hold
}

/// Contribution that Chat opens: decides whether a message may be sent. Policies run inside the message's transaction, in the
/// order of the modules, until one does not allow the message. They must be short and do no I/O except reads by key.
public protocol MessagePolicy: Sendable {
    /// Decides about a draft. An error rolls back the message.
    func judge(_ draft: MessageDraft, at now: Timestamp, in work: any UnitOfWork) throws -> MessageVerdict
}

/// A message was stored and may be delivered to the recipient.
public struct MessageSent: SparkEvent {
    /// `chat.message_sent`.
    public static let name = "chat.message_sent"
    /// The message.
    public let message: MessageID
    /// Its conversation.
    public let conversation: ConversationID
    /// The message's position in the conversation.
    public let seq: Int64
    /// The sender.
    public let from: UserID
    /// The recipient.
    public let to: UserID

    /// Creates the event.
    public init(message: MessageID, conversation: ConversationID, seq: Int64, from: UserID, to: UserID) {
        self.message = message
        self.conversation = conversation
        self.seq = seq
        self.from = from
        self.to = to
    }
}

/// A user has read a conversation up to a message.
public struct ConversationRead: SparkEvent {
    /// `chat.conversation_read`.
    public static let name = "chat.conversation_read"
    /// The conversation.
    public let conversation: ConversationID
    /// The reader.
    public let user: UserID
    /// The position of the last message that was read.
    public let seq: Int64

    /// Creates the event.
    public init(conversation: ConversationID, user: UserID, seq: Int64) {
        (self.conversation, self.user, self.seq) = (conversation, user, seq)
    }
}

/// Port of Chat: counts unread messages, for badges.
public protocol UnreadCounting: Sendable {
    /// The number of messages by other people after the user's read marks, in all active conversations. Deleted messages do not
    /// count.
    func unreadTotal(of user: UserID) async throws -> Int
}

/// Port of Chat: the messages that a policy held, for moderators.
public protocol HeldMessageReviewing: Sendable {
    /// The oldest waiting messages, at most `limit`.
    func heldMessages(limit: Int) async throws -> [HeldMessage]
    /// Sends a held message now, or discards it.
    /// - Throws: A `ClientError` with status 404 if the message no longer waits.
    func decide(_ message: MessageID, isAllowed: Bool) async throws
}

/// A message that waits for a decision.
public struct HeldMessage: Sendable {
    /// The message's identifier.
    public let id: MessageID
    /// The message.
    public let draft: MessageDraft
    /// When the policy held it.
    public let heldAt: Timestamp

    /// Creates a held message.
    public init(id: MessageID, draft: MessageDraft, heldAt: Timestamp) {
        (self.id, self.draft, self.heldAt) = (id, draft, heldAt)
    }
}
