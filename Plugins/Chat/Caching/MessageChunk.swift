import SparkCache
import SparkCore
public import SparkKit

/// A cached run of neighbouring messages of a conversation. A new message invalidates only the newest chunk.
struct MessageChunk: Hashable, Sendable {
    /// The number of places (`seq`) in a chunk.
    static let length: Int64 = 64

    let messages: [ShownMessage]

    /// The number of the chunk that holds a message.
    /// - Parameter seq: from 1.
    static func number(of seq: Int64) -> Int64 { (seq - 1) / length }

    /// The places in a chunk.
    static func seqs(of number: Int64) -> ClosedRange<Int64> { (number * length + 1)...((number + 1) * length) }

    struct Key: CacheKeyed, Hashable {
        let conversation: ConversationID
        let number: Int64

        var cacheKey: CacheKey {
            CacheKey(high: UInt64(bitPattern: number), low: UInt64(bitPattern: conversation.rawValue))
        }
    }
}

extension MessageChunk: CacheValue, CompactRecord {
    var cacheCost: Int {
        messages.reduce(64) { cost, shown in
            cost + 160 + shown.message.text.utf8.count + shown.message.clientID.utf8.count + 64 * shown.reactions.count
        }
    }

    static let compact = CompactFields<MessageChunk>(MessageChunk.init(messages:), \.messages)
}

extension ShownMessage: CompactRecord {
    static let compact = CompactFields<ShownMessage>(ShownMessage.init(message:reactions:), \.message, \.reactions)
}

extension Message: CompactRecord {
    static let compact = CompactFields<Message>(
        Message.init(id:conversation:seq:from:clientID:content:text:sentAt:editedAt:isDeleted:), \.id, \.conversation, \.seq,
        \.from, \.clientID, \.content, \.text, \.sentAt, \.editedAt, \.isDeleted)
}

extension MessageContent: CompactValue {}

extension Reaction: CompactRecord {
    static let compact = CompactFields<Reaction>(Reaction.init(user:reaction:), \.user, \.reaction)
}
