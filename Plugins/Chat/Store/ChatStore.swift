import SparkCore
import SparkKit
import SparkStorage

/// What Chat keeps, in its own words. What changes a conversation also writes the events that tell both of it, in the same
/// transaction, and has them delivered after the commit.
protocol ChatStore: Sendable {
    /// A conversation, gone or not; a few microseconds, on the caller's thread.
    func conversation(_ id: ConversationID) throws -> Conversation?
    /// One that is not gone for this user, on the caller's thread.
    /// - Throws: `ChatError.gone`.
    func live(_ id: ConversationID, of user: UserID) throws -> Conversation
    /// The conversation of two people that is not gone.
    func conversation(between user: UserID, and other: UserID) throws -> Conversation?
    /// Conversations that are not gone, those with the newest activity first.
    func conversations(of user: UserID, after position: ActivityPosition, limit: Int) async throws -> ConversationPage
    /// One of them; nil where it is gone or another's.
    func entry(_ id: ConversationID, of user: UserID) async throws -> ConversationEntry?
    /// The place of the first message that is kept; on the caller's thread.
    func firstSeq(of conversation: ConversationID) throws -> Int64
    /// Messages by their place, in order; those that retention took are missing.
    func messages(of conversation: ConversationID, in seqs: [ClosedRange<Int64>]) async throws -> [[ShownMessage]]

    /// - Throws: `ChatError.gone`, `EdgeError.notFound` unless it is a live message of this user, `ChatError.editWindow`,
    ///   `ChatError.quotaReached`, and what a policy says of the new text.
    func edit(_ seq: Int64, in conversation: ConversationID, by user: UserID, text: String) async throws -> ShownMessage
    /// Takes the text away for good.
    /// - Throws: `ChatError.gone`, `EdgeError.notFound` unless it is a live message of this user, `ChatError.deleteWindow`.
    func delete(_ seq: Int64, in conversation: ConversationID, by user: UserID) async throws
    /// Answers a live message with one sign instead of the last one; nil takes it back.
    /// - Throws: `ChatError.gone`, `EdgeError.notFound`.
    func react(_ reaction: String?, to seq: Int64, in conversation: ConversationID, by user: UserID) async throws
    /// Moves the read mark forward, never back and never past the last message. Publishes `ConversationRead` if it moved.
    /// - Returns: what is unread then, and the mark.
    /// - Throws: `ChatError.gone`.
    func read(upTo seq: Int64, in conversation: ConversationID, by user: UserID) async throws -> (
        unread: UnreadCounts, mark: Int64
    )

    /// - Throws: `ChatError.gone` for a conversation that is gone or another's.
    func unread(of user: UserID, in conversation: ConversationID?) async throws -> UnreadCounts
    /// Notes that devices of users have their streams up to an offset, and tells those who wrote.
    /// - Returns: whose events were too many for one turn; they are to be told again.
    func received(_ offsets: [UserID: Int64]) async throws -> [UserID: Int64]
}

/// Where a page of conversations begins: after the one of this activity and identifier.
struct ActivityPosition: Hashable, Sendable {
    let at: Timestamp
    let id: Int64

    static let newest = ActivityPosition(at: Timestamp(milliseconds: .max), id: .max)
}

/// A conversation as one of the two sees it in a list.
struct ConversationEntry: Sendable {
    let conversation: Conversation
    let viewer: UserID
    let other: UserID
    let unread: Int
    let lastMessage: Message?
}

/// A part of somebody's conversations.
struct ConversationPage: Sendable {
    let entries: [ConversationEntry]
    let next: ActivityPosition?
    let unreadTotal: Int
}

/// Chat's tables in SQLite.
struct SQLiteChatStore: ChatStore {
    let storage: any Storage
    let stream: any EventStreaming
    let rules: MessageRules
    let policies: Contributions<any MessagePolicy>
    let quota: MessageQuota
}
