import SparkCore
import SparkKit
import SparkStorage

/// The numbered events that Chat records, with the members that connected devices receive.
///
/// Events with people's texts are stored by reference, so that no text outlives its message.
enum ChatEvents {
    /// An event with the members that are sent live.
    typealias Numbered = (event: UserEvent, members: [UInt8])

    static func message(_ message: Message) -> Numbered { (event("message", about: message), members(message)) }

    static func edited(_ message: Message) -> Numbered { (event("message.edited", about: message), editedMembers(message)) }

    static func deleted(_ message: Message) -> Numbered { (event("message.deleted", about: message), deletedMembers(message)) }

    static func receipt(_ conversation: ConversationID, by user: UserID, read: Int64? = nil, received: Int64? = nil) -> Numbered {
        kept("receipt", conversation, ReceiptEvent(conversation: conversation, user: user, read: read, received: received))
    }

    static func reaction(_ reaction: String?, to seq: Int64, in conversation: ConversationID, by user: UserID) -> Numbered {
        kept(
            "reaction", conversation, ReactionEvent(conversation: conversation, seq: seq, user: user, reaction: reaction))
    }

    static func match(_ match: MatchID, _ conversation: ConversationID, with other: UserID) -> Numbered {
        kept("match", conversation, MatchEvent(match: match, other: other, conversation: conversation))
    }

    static func unmatch(_ conversation: ConversationID) -> Numbered {
        kept("unmatch", conversation, UnmatchEvent(conversation: conversation))
    }

    private static func event(_ type: String, about message: Message) -> UserEvent {
        UserEvent(type: type, subject: message.conversation.rawValue, ordinal: message.seq)
    }

    private static func kept(_ type: String, _ conversation: ConversationID, _ members: some JSONObject) -> Numbered {
        let bytes = Frame.members(of: members)
        return (UserEvent(type: type, subject: conversation.rawValue, members: bytes), bytes)
    }

    fileprivate static func members(_ message: Message) -> [UInt8] {
        Frame.members(of: message, capacity: 320 + message.text.utf8.count)
    }

    fileprivate static func editedMembers(_ message: Message) -> [UInt8] {
        Frame.members(of: EditedMessage(message: message), capacity: 200 + message.text.utf8.count)
    }

    fileprivate static func deletedMembers(_ message: Message) -> [UInt8] {
        Frame.members(of: DeletedMessage(conversation: message.conversation, seq: message.seq, author: message.from))
    }
}

/// Builds the members of events stored by reference from the messages as they are now.
enum ChatReplay {
    static func message(_ event: UserEvent, _ user: UserID, _ session: SQLSession) throws -> [UInt8]? {
        try find(event, session).map(ChatEvents.members) ?? removed(event)
    }

    static func edited(_ event: UserEvent, _ user: UserID, _ session: SQLSession) throws -> [UInt8]? {
        try find(event, session).map(ChatEvents.editedMembers) ?? removed(event)
    }

    static func deleted(_ event: UserEvent, _ user: UserID, _ session: SQLSession) throws -> [UInt8]? {
        try find(event, session).map(ChatEvents.deletedMembers) ?? removed(event)
    }

    private static func find(_ event: UserEvent, _ session: SQLSession) throws -> Message? {
        try MessageRows.live(event.ordinal, in: ConversationID(rawValue: event.subject), session)
    }

    /// The members for a message that retention or an erasure deleted: only its place. A message in a conversation that is gone
    /// gets the same members, so that a replay does not reveal an erasure.
    private static func removed(_ event: UserEvent) -> [UInt8] {
        Frame.members(
            of: DeletedMessage(conversation: ConversationID(rawValue: event.subject), seq: event.ordinal, author: nil))
    }
}

/// The members of a `message.edited` event.
struct EditedMessage: JSONObject {
    let message: Message

    static let fields = Fields<EditedMessage>("EditedMessage", "A message was edited.") {
        Field("conversation", \.message.conversation)
        Field("seq", \.message.seq, .seq, "The place in the conversation.")
        Field("text", \.message.text, .string, "Empty for a message that is no more.")
        Field(optional: "edited_at", \.message.editedAt)
        Field("by", \.message.from)
        Field(
            optional: "deleted", { $0.message.isDeleted ? true : nil }, .boolean, isInExample: false,
            "Present if the message was deleted.")
    }
}

/// The members of a `message.deleted` event, and of each event about a message that is no more.
struct DeletedMessage: JSONObject {
    let conversation: ConversationID
    let seq: Int64
    /// Nil if the message is no more.
    let author: UserID?

    static let fields = Fields<DeletedMessage>("DeletedMessage", "A message was deleted.") {
        Field("conversation", \.conversation)
        Field("seq", \.seq, .seq, "The place in the conversation.")
        Field(optional: "by", \.author)
        Field(
            optional: "text", { $0.author == nil ? "" : nil }, .string, isInExample: false,
            "Empty. Present if the message is no more.")
        Field(
            optional: "deleted", { $0.author == nil ? true : nil }, .boolean, isInExample: false,
            "Present if the message is no more.")
    }
}

/// The members of a `receipt` event: one of the two places.
struct ReceiptEvent: JSONObject {
    let conversation: ConversationID
    let user: UserID
    let read: Int64?
    let received: Int64?

    static let fields = Fields<ReceiptEvent>("ReceiptEvent", "Somebody has read or received all messages up to one.") {
        Field("conversation", \.conversation)
        Field("by", \.user)
        Field(optional: "read", \.read, .seq, "The last message that was read.")
        Field(optional: "received", \.received, .seq, isInExample: false, "The last message that is on a device.")
    }
}

/// The members of a `reaction` event.
struct ReactionEvent: JSONObject {
    let conversation: ConversationID
    let seq: Int64
    let user: UserID
    let reaction: String?

    static let fields = Fields<ReactionEvent>("ReactionEvent", "Somebody answered a message with one sign.") {
        Field("conversation", \.conversation)
        Field("seq", \.seq, .seq, "The place in the conversation.")
        Field("by", \.user)
        Field(
            "reaction", \.reaction, .nullable(Reaction.type("one visible character")), "Null if it was taken back.")
    }
}

/// The members of a `match` event.
struct MatchEvent: JSONObject {
    let match: MatchID
    let other: UserID
    let conversation: ConversationID

    static let fields = Fields<MatchEvent>("MatchEvent", "Two people like each other.") {
        Field("match", \.match)
        Field("user", \.other, "The other person.")
        Field("conversation", \.conversation)
    }
}

/// The members of an `unmatch` event.
struct UnmatchEvent: JSONObject {
    let conversation: ConversationID

    static let fields = Fields<UnmatchEvent>("UnmatchEvent", "A conversation is over.") {
        Field("conversation", \.conversation)
    }
}
