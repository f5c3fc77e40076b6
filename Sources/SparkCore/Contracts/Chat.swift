/// What a message holds. The raw values stand in the store.
public enum MessageContent: Int64, CaseIterable, Sendable {
    case text = 0
    case sticker = 1
    case gif = 2

    public var wire: String {
        switch self {
        case .text: "text"
        case .sticker: "sticker"
        case .gif: "gif"
        }
    }

    public init?(wire: String) {
        guard let content = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = content
    }

    public static let wireWords = allCases.map(\.wire)
}

/// A message that somebody wants to send.
public struct MessageDraft: Sendable {
    public let conversation: ConversationID
    public let from: UserID
    public let to: UserID
    public let content: MessageContent
    public let text: String
    /// Nobody has written in this conversation yet.
    public let isOpening: Bool

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

/// What a policy says of a draft.
public enum MessageVerdict: Sendable {
    case allow
    case deny(any ClientError)
    /// Kept aside until somebody who moderates has decided.
    case hold
}

/// Contribution that Chat opens: whether a message may be sent. Asked inside the message's transaction, in the order of the modules,
/// until one does not allow it; so short, and without I/O but reads by key.
public protocol MessagePolicy: Sendable {
    func judge(_ draft: MessageDraft, at now: Timestamp, in work: any UnitOfWork) throws -> MessageVerdict
}

/// A message is stored, and the other one may be told.
public struct MessageSent: SparkEvent {
    public static let name = "chat.message_sent"
    public let message: MessageID
    public let conversation: ConversationID
    public let seq: Int64
    public let from: UserID
    public let to: UserID

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
    public static let name = "chat.conversation_read"
    public let conversation: ConversationID
    public let user: UserID
    public let seq: Int64

    public init(conversation: ConversationID, user: UserID, seq: Int64) {
        (self.conversation, self.user, self.seq) = (conversation, user, seq)
    }
}

/// Port of Chat: what is unread, for badges.
public protocol UnreadCounting: Sendable {
    /// Live messages of others after the user's read marks, over all conversations that are not over.
    func unreadTotal(of user: UserID) async throws -> Int
}

/// Port of Chat: messages that a policy held, for those who moderate.
public protocol HeldMessageReviewing: Sendable {
    /// The oldest that wait, at most `limit`.
    func heldMessages(limit: Int) async throws -> [HeldMessage]
    /// Sends a held message now, or throws it away.
    /// - Throws: a `ClientError` of status 404 when it does not wait any more.
    func decide(_ message: MessageID, isAllowed: Bool) async throws
}

/// A message that waits for a decision.
public struct HeldMessage: Sendable {
    public let id: MessageID
    public let draft: MessageDraft
    public let heldAt: Timestamp

    public init(id: MessageID, draft: MessageDraft, heldAt: Timestamp) {
        (self.id, self.draft, self.heldAt) = (id, draft, heldAt)
    }
}
