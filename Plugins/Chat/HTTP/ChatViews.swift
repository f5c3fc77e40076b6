import SparkCore

// The JSON answers of Chat. The events of the stream show messages with the same fields.

/// A conversation in a list.
struct ConversationView: JSONObject {
    let entry: ConversationEntry
    let card: ProfileCard

    init(_ entry: ConversationEntry, card: ProfileCard) {
        self.entry = entry
        self.card = card
    }

    static let fields = Fields<ConversationView>("Conversation", "A conversation in a list.") {
        Field("id", \.entry.conversation.id)
        Field("match_id", \.entry.conversation.match)
        Field("user", \.card, "The other person.")
        Field("last_message", \.entry.lastMessage, "Null before the first message.")
        Field("last_seq", \.entry.conversation.lastSeq, .seqOrNone)
        Field("unread", \.entry.unread, .integer(0...Int.max))
        Field("read_seq", \.mine.read, .seqOrNone, "How far the user has read.")
        Field("peer_read_seq", \.theirs.read, .seqOrNone, "How far the other person has read.")
        // A message that was read was also received.
        Field(
            "peer_received_seq", { max($0.theirs.read, $0.theirs.received) }, .seqOrNone,
            "How far a device of the other person has received messages.")
        Field("last_activity_at", \.entry.conversation.lastAt)
    }

    private var mine: Conversation.Marks { entry.conversation.marks(of: entry.viewer) }
    private var theirs: Conversation.Marks { entry.conversation.marks(of: entry.other) }
}

/// A page of conversations.
struct ConversationList: JSONObject {
    let items: [ConversationView]
    let nextCursor: String?
    let unreadTotal: Int

    static let fields = Fields<ConversationList>("ConversationPage", "Conversations, those with the newest activity first.") {
        Field("items", \.items)
        Field("next_cursor", \.nextCursor, .nullable(.cursor))
        Field("unread_total", \.unreadTotal, .integer(0...Int.max), "The unread messages of all conversations.")
    }
}

/// A message without its reactions: in a search, as the last of a conversation, and as a `message` event.
extension Message: JSONObject {
    static let fields = Fields<Message>("BareMessage", "A message without its reactions.") {
        Field("conversation", \.conversation)
        Field("seq", \.seq, .seq, "The place in the conversation.")
        Field("id", \.id)
        Field("from", \.from, "Who wrote it.")
        Field("client_id", \.clientID, NewMessage.clientIDType)
        Field("kind", \.content)
        Field("text", \.text, .string, "Empty for a deleted message.")
        Field("sent_at", \.sentAt)
        Field(optional: "edited_at", \.editedAt)
        Field(optional: "deleted", { $0.isDeleted ? true : nil }, .boolean, isInExample: false, "Present if it was deleted.")
    }
}

/// A message with its reactions.
extension ShownMessage: JSONObject {
    static let fields = Fields<ShownMessage>("Message", "A message with its reactions.") {
        Field(membersOf: \.message)
        Field("reactions", \.reactions)
    }
}

/// A reaction in a message.
extension Reaction: JSONObject {
    static let fields = Fields<Reaction>("MessageReaction", "One person's reaction to a message.") {
        Field("by", \.user)
        Field("reaction", \.reaction, type("one visible character"))
    }
}

/// The receipt of a stored message.
struct SentView: JSONObject {
    let receipt: SendReceipt
    let clientID: String

    static let fields = Fields<SentView>("SentMessage", "The receipt of a stored message.") {
        Field("id", \.receipt.id)
        Field("conversation_id", \.receipt.conversation)
        Field("client_id", \.clientID, NewMessage.clientIDType)
        Field("seq", \.receipt.seq, .seq, "The place in the conversation.")
        Field("sent_at", \.receipt.sentAt)
    }
}

/// The unread counts after a read mark moved.
struct ReadView: JSONObject {
    let conversation: ConversationID
    let unread: UnreadCounts
    let mark: Int64

    static let fields = Fields<ReadView>("ReadResult", "The unread messages after a read mark moved.") {
        Field("conversation_id", \.conversation)
        Field("unread", { $0.unread.part?.count ?? 0 }, .integer(0...Int.max))
        Field("unread_total", \.unread.total, .integer(0...Int.max), "The unread messages of all conversations.")
        Field("read_seq", \.mark, .seqOrNone, "How far the user has read.")
    }
}

/// The total of unread messages, for the app's badge.
struct UnreadView: JSONObject {
    let total: Int

    static let fields = Fields<UnreadView>("Unread", "How many messages the user has not read.") {
        Field("unread_total", \.total, .integer(0...Int.max), "The unread messages of all conversations.")
    }
}
