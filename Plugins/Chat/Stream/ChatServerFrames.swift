import SparkCore
import SparkKit

/// The frames that Chat sends: their declarations, and the bytes of the unnumbered ones.
enum ChatServerFrames {
    static let rows: [ServerFrame] = [
        .numbered(
            "message", "A new message; for a deleted one, only its place", Message.self,
            required: ["conversation", "seq", "text"], render: ChatReplay.message),
        .numbered(
            "message.edited", "A message was edited", EditedMessage.self, required: ["conversation", "seq", "text"],
            render: ChatReplay.edited),
        .numbered("message.deleted", "A message was deleted", DeletedMessage.self, render: ChatReplay.deleted),
        .numbered("receipt", "Somebody has read, or received on a device, all messages up to one", ReceiptEvent.self),
        .numbered("reaction", "Somebody reacted to a message, or removed the reaction", ReactionEvent.self),
        .numbered("match", "Two people like each other", MatchEvent.self),
        .numbered("unmatch", "A conversation is over", UnmatchEvent.self),
        .unnumbered("ack", "A message is stored", Acknowledgement.self),
        .unnumbered("nack", "A message is not stored", Nack.self),
        .unnumbered("unread", "How many messages are unread, in one conversation and in all", UnreadFrame.self),
        .unnumbered("typing", "The other person starts or stops typing", TypingFrame.self),
        .unnumbered("presence", "Whether a watched person is online", PresenceFrame.self),
        .unnumbered("history", "Messages of a conversation, newest first", HistoryFrame.self),
    ]

    static func ack(_ receipt: SendReceipt, clientID: String) -> [UInt8] {
        Frame.bytes("ack", Acknowledgement(receipt: receipt, clientID: clientID), capacity: 176)
    }

    static func unread(_ unread: UnreadCounts, reference: String? = nil) -> [UInt8] {
        Frame.bytes("unread", UnreadFrame(counts: unread, reference: reference))
    }

    static func typing(_ conversation: ConversationID, by user: UserID, isOn: Bool) -> [UInt8] {
        Frame.bytes("typing", TypingFrame(conversation: conversation, user: user, isOn: isOn))
    }

    static func presence(_ user: UserID, isOnline: Bool) -> [UInt8] {
        Frame.bytes("presence", PresenceFrame(user: user, isOnline: isOnline))
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

/// The members of an `ack` frame.
struct Acknowledgement: JSONObject {
    let receipt: SendReceipt
    let clientID: String

    static let fields = Fields<Acknowledgement>("Acknowledgement", "A message is stored.") {
        Field("client_id", \.clientID, NewMessage.clientIDType)
        Field("conversation", \.receipt.conversation)
        Field("seq", \.receipt.seq, .seq, "The place in the conversation.")
        Field("sent_at", \.receipt.sentAt)
        Field(
            optional: "duplicate", { $0.receipt.isDuplicate ? true : nil }, .boolean, isInExample: false,
            "Present if an earlier frame stored it.")
    }
}

/// The members of the server's `unread` frame.
struct UnreadFrame: JSONObject {
    let counts: UnreadCounts
    let reference: String?

    static let fields = Fields<UnreadFrame>("UnreadFrame", "How many messages are unread.") {
        Field(optional: "conversation", \.counts.part?.conversation)
        Field(
            "count", { $0.counts.part?.count ?? $0.counts.total }, .integer(0...Int.max),
            "In the conversation; the total if none is named.")
        Field("total", \.counts.total, .integer(0...Int.max), "In all conversations.")
        Field(optional: "ref", \.reference, .string(0...64), "As the client sent it.")
    }
}

/// The members of the server's `typing` frame.
struct TypingFrame: JSONObject {
    let conversation: ConversationID
    let user: UserID
    let isOn: Bool

    static let fields = Fields<TypingFrame>("TypingFrame", "The other person starts or stops typing.") {
        Field("conversation", \.conversation)
        Field("by", \.user)
        Field("on", \.isOn)
    }
}

/// The members of a `presence` frame.
struct PresenceFrame: JSONObject {
    let user: UserID
    let isOnline: Bool

    static let fields = Fields<PresenceFrame>("PresenceFrame", "Whether a watched person is online.") {
        Field("user", \.user)
        Field("online", \.isOnline)
    }
}

/// The members of the server's `history` frame.
struct HistoryFrame: JSONObject {
    /// The most bytes of messages, unless a single message is larger.
    private static let mostBytes = 48 * 1_024

    private let conversation: ConversationID
    /// Rendered messages, because their size decides how many there are.
    private let messages: [[UInt8]]
    private let next: Int64?
    private let reference: String?
    private let size: Int

    /// As many messages of a page as the frame has room for.
    init(_ page: HistoryPage, of conversation: ConversationID, reference: String?) {
        var (messages, size): ([[UInt8]], Int) = ([], 0)
        for message in page.messages {
            let bytes = JSONWriter.bytes(of: message)
            size += bytes.count
            guard messages.isEmpty || size <= Self.mostBytes else { break }
            messages.append(bytes)
        }
        self.conversation = conversation
        self.messages = messages
        self.next = messages.count < page.messages.count ? page.messages[messages.count - 1].message.seq : page.next
        self.reference = reference
        self.size = size
    }

    /// The complete frame.
    var bytes: [UInt8] { Frame.bytes("history", self, capacity: size + 128) }

    static let fields = Fields<HistoryFrame>("HistoryFrame", "Messages of a conversation, newest first.") {
        Field("conversation", \.conversation)
        Field("messages", \.messages, .list(.written(ShownMessage.reference)))
        Field("next_before", \.next, .nullable(.seq), "Where the next page begins; null on the last one.")
        Field(optional: "ref", \.reference, .string(0...64), "As the client sent it.")
    }
}
