import SparkCore
import SparkKit

/// The frames that Chat sends: their declarations, and the bytes of the unnumbered ones.
enum ChatServerFrames {
    static let rows: [ServerFrame] = [
        .numbered(
            "message", "A new message; for a deleted one, only its place",
            members: Message.place + Message.contents(Schema.Property.optional) + Message.further, render: ChatReplay.message),
        .numbered(
            "message.edited", "A message was edited",
            members: [
                conversation, seq, .required("text", .string()), .optional("edited_at", .dateTime),
                .optional("by", .identifier(UserKind.self)), .optional("deleted", .boolean),
            ], render: ChatReplay.edited),
        .numbered(
            "message.deleted", "A message was deleted",
            members: [
                conversation, seq, .optional("by", .identifier(UserKind.self)), .optional("text", .string()),
                .optional("deleted", .boolean),
            ], render: ChatReplay.deleted),
        .numbered(
            "receipt", "Somebody has read, or received on a device, all messages up to one",
            members: [conversation, by, .optional("read", .integer(1...Int.max)), .optional("received", .integer(1...Int.max))]),
        .numbered(
            "reaction", "Somebody reacted to a message, or removed the reaction",
            members: [conversation, seq, by, .required("reaction", .nullable(.string(1...16)))]),
        .numbered(
            "match", "Two people like each other",
            members: [
                .required("match", .identifier(MatchKind.self)), .required("user", .identifier(UserKind.self)), conversation,
            ]),
        .numbered("unmatch", "A conversation is over", members: [conversation]),
        .unnumbered(
            "ack", "A message is stored",
            members: [
                .required("client_id", .string(1...64)), conversation, seq, .required("sent_at", .dateTime),
                .optional("duplicate", .boolean),
            ]),
        .unnumbered(
            "nack", "A message is not stored",
            members: [
                .required("client_id", .string(1...64)), .required("code", .string()), .required("temporary", .boolean),
                .optional("retry_after", .integer(1...Int.max)),
            ]),
        .unnumbered(
            "unread", "How many messages are unread, in one conversation and in all",
            members: [
                .optional("conversation", .identifier(ConversationKind.self)), .required("count", .integer(0...Int.max)),
                .required("total", .integer(0...Int.max)), .optional("ref", .string()),
            ]),
        .unnumbered("typing", "The other person starts or stops typing", members: [conversation, by, .required("on", .boolean)]),
        .unnumbered(
            "presence", "Whether a watched person is online",
            members: [.required("user", .identifier(UserKind.self)), .required("online", .boolean)]),
        .unnumbered(
            "history", "Messages of a conversation, newest first",
            members: [
                conversation, .required("messages", .list(ShownMessage.schema)),
                .required("next_before", .nullable(.integer(1...Int.max))), .optional("ref", .string()),
            ]),
    ]

    static let conversation = Schema.Property.required("conversation", .identifier(ConversationKind.self))
    static let seq = Schema.Property.required("seq", .integer(1...Int.max))
    private static let by = Schema.Property.required("by", .identifier(UserKind.self))

    static func ack(_ receipt: SendReceipt, clientID: String) -> [UInt8] {
        Frame.bytes("ack", capacity: 176) { writer in
            writer.field("client_id", clientID)
            writer.field("conversation", receipt.conversation)
            writer.field("seq", receipt.seq)
            writer.field("sent_at", receipt.sentAt)
            if receipt.isDuplicate { writer.field("duplicate", true) }
        }
    }

    static func unread(_ unread: UnreadCounts, reference: String? = nil) -> [UInt8] {
        Frame.bytes("unread") { writer in
            if let part = unread.part { writer.field("conversation", part.conversation) }
            writer.field("count", unread.part?.count ?? unread.total)
            writer.field("total", unread.total)
            if let reference { writer.field("ref", reference) }
        }
    }

    static func typing(_ conversation: ConversationID, by user: UserID, isOn: Bool) -> [UInt8] {
        Frame.bytes("typing") { writer in
            writer.field("conversation", conversation)
            writer.field("by", user)
            writer.field("on", isOn)
        }
    }

    static func presence(_ user: UserID, isOnline: Bool) -> [UInt8] {
        Frame.bytes("presence") { writer in
            writer.field("user", user)
            writer.field("online", isOnline)
        }
    }
}

/// A user's numbers of unread messages.
struct UnreadCounts: Hashable, Sendable {
    struct Part: Hashable, Sendable {
        let conversation: ConversationID
        let count: Int
    }

    /// The count of one conversation, if one was requested.
    let part: Part?
    /// The total over all conversations that are not gone.
    let total: Int
}
