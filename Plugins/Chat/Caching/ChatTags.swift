import SparkCache
import SparkCore

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
