import SparkCache
import SparkCore
import SparkKit

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

extension MessageChunk: CacheValue {
    var cacheCost: Int {
        messages.reduce(64) { cost, shown in
            cost + 160 + shown.message.text.utf8.count + shown.message.clientID.utf8.count + 64 * shown.reactions.count
        }
    }

    func encode(into bytes: inout [UInt8]) {
        var writer = CompactWriter(bytes)
        writer.write(unsigned: UInt64(messages.count))
        for shown in messages {
            let message = shown.message
            for number in [message.id.rawValue, message.conversation.rawValue, message.seq, message.from.rawValue] {
                writer.write(number)
            }
            writer.write(message.clientID)
            writer.write(message.content.rawValue)
            writer.write(message.text)
            writer.write(message.sentAt)
            writer.write(message.editedAt) { $0.write($1) }
            writer.write(unsigned: message.isDeleted ? 1 : 0)
            writer.write(unsigned: UInt64(shown.reactions.count))
            for reaction in shown.reactions {
                writer.write(reaction.user.rawValue)
                writer.write(reaction.reaction)
            }
        }
        bytes = writer.bytes
    }

    static func decode(_ bytes: [UInt8]) -> MessageChunk? {
        var reader = CompactReader(bytes)
        guard let messages = reader.list({ $0.shownMessage() }), reader.isAtEnd else { return nil }
        return MessageChunk(messages: messages)
    }
}

extension CompactReader {
    fileprivate mutating func shownMessage() -> ShownMessage? {
        guard let id = integer(), let conversation = integer(), let seq = integer(), let from = integer(), let clientID = text(),
            let content = integer().flatMap({ MessageContent(rawValue: $0) }), let body = text(), let sentAt = time(),
            let editedAt = optional({ $0.time() }), let isDeleted = unsigned(), let reactions = list({ $0.reaction() })
        else { return nil }
        let message = Message(
            id: MessageID(rawValue: id), conversation: ConversationID(rawValue: conversation), seq: seq,
            from: UserID(rawValue: from), clientID: clientID, content: content, text: body, sentAt: sentAt, editedAt: editedAt,
            isDeleted: isDeleted == 1)
        return ShownMessage(message: message, reactions: reactions)
    }

    fileprivate mutating func reaction() -> Reaction? {
        guard let user = integer(), let reaction = text() else { return nil }
        return Reaction(user: UserID(rawValue: user), reaction: reaction)
    }
}
