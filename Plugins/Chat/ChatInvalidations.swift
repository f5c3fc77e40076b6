import SparkCache
import SparkCore
import SparkKit

/// A message's text, reactions or deletion state changed.
struct MessageChanged: SparkEvent {
    static let name = "chat.message_changed"
    let conversation: ConversationID
    let seq: Int64
}

/// Retention deleted the first messages of a conversation.
struct MessagesForgotten: SparkEvent {
    static let name = "chat.messages_forgotten"
    let conversation: ConversationID
    let seqs: ClosedRange<Int64>
}

/// The cache tags that each event invalidates: chunks of messages, or the members of conversations.
enum ChatInvalidations {
    static func tags(_ event: MessageSent) -> [CacheTag] { [chunk(event.conversation, event.seq)] }
    static func tags(_ event: MessageChanged) -> [CacheTag] { [chunk(event.conversation, event.seq)] }

    static func tags(_ event: MessagesForgotten) -> [CacheTag] {
        (MessageChunk.number(of: event.seqs.lowerBound)...MessageChunk.number(of: event.seqs.upperBound)).map {
            .messages(of: event.conversation, chunk: $0)
        }
    }

    static func tags(_ event: MatchCreated) -> [CacheTag] { [.conversation(event.conversation)] }
    static func tags(_ event: MatchEnded) -> [CacheTag] { [.conversation(event.conversation)] }
    static func tags(_ event: AccountClosed) -> [CacheTag] { [.conversations(of: event.user)] }
    static func tags(_ event: AccountReopened) -> [CacheTag] { [.conversations(of: event.user)] }
    static func tags(_ event: AccountErased) -> [CacheTag] { [.conversations(of: event.user)] }

    private static func chunk(_ conversation: ConversationID, _ seq: Int64) -> CacheTag {
        .messages(of: conversation, chunk: MessageChunk.number(of: seq))
    }
}

extension ModuleRegistrar {
    mutating func addChatInvalidations() {
        cacheTags([.conversation, .messages], ofUsers: [.conversations])
        invalidate(on: MessageSent.self, ChatInvalidations.tags)
        invalidate(on: MessageChanged.self, ChatInvalidations.tags)
        invalidate(on: MessagesForgotten.self, ChatInvalidations.tags)
        invalidate(on: MatchCreated.self, ChatInvalidations.tags)
        invalidate(on: MatchEnded.self, ChatInvalidations.tags)
        invalidate(on: AccountClosed.self, ChatInvalidations.tags)
        invalidate(on: AccountReopened.self, ChatInvalidations.tags)
        invalidate(on: AccountErased.self, ChatInvalidations.tags)
    }
}

extension CacheTagKind {
    static let conversation = CacheTagKind("chat.conversation")
    static let conversations = CacheTagKind("chat.conversations")
    static let messages = CacheTagKind("chat.messages")
}

extension CacheTag {
    /// A conversation's members and whether it is open.
    static func conversation(_ conversation: ConversationID) -> CacheTag { CacheTag(.conversation, conversation) }

    /// All conversations of a user. Changes when the account is closed, reopened or erased.
    static func conversations(of user: UserID) -> CacheTag { CacheTag(.conversations, user) }

    /// Some neighbouring messages of a conversation.
    /// - Parameter chunk: see `MessageChunk.number`.
    static func messages(of conversation: ConversationID, chunk: Int64) -> CacheTag {
        CacheTag(.messages, SplitMix64.mix(UInt64(bitPattern: conversation.rawValue)) &+ UInt64(bitPattern: chunk))
    }
}
